// SPDX-License-Identifier: Apache-2.0
#include "base/byte_sink.h"

#include <algorithm>

#include <doctest/doctest.h>

namespace ptsd {
namespace {

TEST_CASE("a range of a source that is longer than a block arrives whole") {
  std::vector<std::byte> bytes((std::size_t{5} << 19) + 3);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::byte>(i * 7 + (i >> 13));
  }
  const MemorySource source("m.pt", bytes);
  MemorySink sink;
  sink.write(as_bytes("ab"));
  sink.copy(source, 5, bytes.size() - 5);
  sink.copy(source, bytes.size(), 0);
  REQUIRE(sink.bytes().size() == bytes.size() - 3);
  CHECK(as_text(sink.bytes()).starts_with("ab"));
  CHECK(std::equal(bytes.begin() + 5, bytes.end(), sink.bytes().begin() + 2));
}

TEST_CASE("a range that the source does not have is refused") {
  const MemorySource source("m.pt", std::vector<std::byte>(10));
  MemorySink sink;
  CHECK_THROWS_AS(sink.copy(source, 5, 6), Error);
}

}  // namespace
}  // namespace ptsd
