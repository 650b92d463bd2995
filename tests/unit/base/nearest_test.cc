// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace ptsd {
namespace {

TEST_CASE("edit distance counts insertions, deletions, substitutions and swaps") {
  CHECK(edit_distance("", "") == 0);
  CHECK(edit_distance("ls", "") == 2);
  CHECK(edit_distance("", "ls") == 2);
  CHECK(edit_distance("diff", "dif") == 1);
  CHECK(edit_distance("diff", "duff") == 1);
  CHECK(edit_distance("merge", "mereg") == 1);
  CHECK(edit_distance("kitten", "sitting") == 3);
}

TEST_CASE("the nearest word is named only if it is near") {
  const std::vector<std::string> words = {"ls", "info", "diff", "rename", "rewrite"};
  CHECK(nearest("inof", words) == "info");
  CHECK(nearest("renmae", words) == "rename");
  CHECK(nearest("sl", words) == "ls");
  CHECK_FALSE(nearest("frobnicate", words).has_value());
  CHECK_FALSE(nearest("x", words).has_value());
  CHECK_FALSE(nearest(std::string(65, 'l'), words).has_value());
  CHECK_FALSE(nearest("ls", {}).has_value());
}

TEST_CASE("of equally near words the first is named") {
  const std::vector<std::string> words = {"cat", "cut"};
  CHECK(nearest("cit", words) == "cat");
}

TEST_CASE("a suggestion is quoted, and absent where there is none") {
  const std::vector<std::string> words = {"a\x1b"};
  CHECK(did_you_mean("a", words) == "; did you mean 'a\\x1b'?");
  CHECK(did_you_mean("zzzz", words).empty());
}

}  // namespace
}  // namespace ptsd
