// SPDX-License-Identifier: Apache-2.0
#include "format/name_map.h"

#include <doctest/doctest.h>

#include "base/bytes.h"
#include "base/error.h"

namespace ptsd::format {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

NameMap read(const std::string& text) {
  const Bytes bytes = as_bytes(text);
  return read_name_map(MemorySource("names", {bytes.begin(), bytes.end()}));
}

bool comes_back(const Pairs& pairs) {
  return read(write_name_map(pairs)) == NameMap(pairs.begin(), pairs.end());
}

TEST_CASE("a map is written as lines, in the order given") {
  CHECK(write_name_map({}).empty());
  CHECK(write_name_map({
            {"b", "x y"},
            {"a", "z"  }
  }) == "b\tx y\na\tz\n");
}

TEST_CASE("names that a line would misread are written as JSON") {
  for (const std::string name :
       {"", "a\tb", "a\nb", " a", "a ", "a=>b", "#a", "{a", "\"", "\\", "\x01", "ü"}) {
    CAPTURE(name);
    CHECK(comes_back({
        {name, "new"},
        {"x",  "y"  }
    }));
    CHECK(comes_back({
        {"old", name}
    }));
  }
}

TEST_CASE("a name that is not UTF-8 goes into a line as it is, and into no JSON") {
  CHECK(comes_back({
      {"a\xFF", "b"}
  }));
  CHECK_THROWS_AS(write_name_map({
                      {"a\xFF", "b\tc"}
  }),
                  Error);
}

}  // namespace
}  // namespace ptsd::format
