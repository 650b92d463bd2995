// SPDX-License-Identifier: Apache-2.0
#include "command/part_arguments.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace ptsd::command {
namespace {

using Arguments = std::vector<std::string>;

TEST_CASE("all parts of a set are one argument, wherever they stand") {
  CHECK(join_parts({"d/m-1-of-2.bin", "d/m-2-of-2.bin"}) == Arguments{"d/m-*-of-2.bin"});
  CHECK(join_parts({"a", "m-2-of-2.pt", "m-1-of-2.pt", "b"}) == Arguments{"a", "m-*-of-2.pt", "b"});
  CHECK(join_parts({"m-1-of-2.pt", "m-2-of-2.pt", "n-1-of-2.pt", "n-2-of-2.pt"}) ==
        Arguments{"m-*-of-2.pt", "n-*-of-2.pt"});
}

TEST_CASE("parts of which one is missing, and a part that is all there is, stay what they are") {
  for (const Arguments& arguments : {
           Arguments{                     },
           Arguments{               "m-1-of-1.bin"                     },
           Arguments{ "m-1-of-3.bin",                      "m-3-of-3.bin"},
           Arguments{                      "m-1-of-2.bin",                      "m-1-of-2.bin"},
           Arguments{                      "m-1-of-2.bin",                      "e/m-2-of-2.bin"},
           Arguments{                      "m-1-of-2.bin",        "x", "m-2-of-2.bin"},
           Arguments{                     "m-1-of-2.bin", "m-2-of-2.bin#weight"},
  }) {
    CHECK(join_parts(arguments) == arguments);
  }
}

}  // namespace
}  // namespace ptsd::command
