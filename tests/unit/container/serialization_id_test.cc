// SPDX-License-Identifier: Apache-2.0
#include "container/serialization_id.h"

#include <array>

#include <doctest/doctest.h>

namespace ptsd::container {
namespace {

constexpr std::string_view kText = "0363601535742230371718446744073709551615";

TEST_CASE("a serialization id is two numbers of 20 digits") {
  const auto id = parse_serialization_id(kText);
  REQUIRE(id);
  CHECK(id->names == 3636015357422303717);
  CHECK(id->contents == 18446744073709551615u);
  CHECK(to_string(*id) == kText);
  CHECK(to_string({.names = 0, .contents = 7}) == "0000000000000000000000000000000000000007");
}

TEST_CASE("a text that is no serialization id is none") {
  const auto refused = std::to_array<std::string_view>({
      "",
      "036360153574223037171844674407370955161",
      "03636015357422303717184467440737095516150",
      "0363601535742230371718446744073709551616",
      "0363601535742230371 18446744073709551615",
      "-36360153574223037171844674407370955161+",
  });
  for (const std::string_view text : refused) {
    CHECK_MESSAGE(!parse_serialization_id(text), text);
  }
}

TEST_CASE("checksums are folded in 64 bits") {
  CHECK(fold_crc(0, 0) == 0x9E3779B9);
  CHECK(fold_crc(0, 0xFFFFFFFF) == 0x19E3779B8);
  CHECK(fold_crc(0x8000000000000004, 0) ==
        (0x8000000000000004 ^ (0x9E3779B9 + 0x100 + 0x2000000000000001)));
}

}  // namespace
}  // namespace ptsd::container
