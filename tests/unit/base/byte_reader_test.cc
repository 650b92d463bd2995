// SPDX-License-Identifier: Apache-2.0
#include "base/byte_reader.h"

#include <cstdint>
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "base/checked.h"

namespace ptsd {
namespace {

TEST_CASE("integers are read little-endian and move the cursor") {
  const Where origin;
  ByteReader reader(as_bytes(std::string_view("\x01\x02\x03\x04\x05\x06\x07", 7)), origin);
  CHECK(reader.u8("a") == 0x01);
  CHECK(reader.u16_le("b") == 0x0302);
  CHECK(reader.u32_le("c") == 0x07060504);
  CHECK(reader.remaining() == 0);
}

TEST_CASE("a read past the end names the place, the wanted and the left") {
  const Where origin = {.file = "m.pt", .member = "m/data.pkl", .offset = 0x10};
  ByteReader reader(as_bytes("abc"), origin);
  reader.u8("x");
  CHECK_THROWS_WITH_AS(
      reader.u32_le("a BININT argument"),
      "m.pt: m/data.pkl+0x11: the data ends inside a BININT argument: 4 bytes wanted, 2 left",
      Error);
  CHECK_THROWS_AS(reader.take(std::numeric_limits<std::uint64_t>::max(), "x"), Error);
  CHECK(reader.take(2, "x").size() == 2);
}

TEST_CASE("a line ends at its newline and must have one") {
  const Where origin;
  ByteReader reader(as_bytes("torch\n\nrest"), origin);
  CHECK(reader.line("x") == "torch");
  CHECK(reader.line("x").empty());
  CHECK_THROWS_AS(reader.line("x"), Error);
}

TEST_CASE("checked arithmetic gives nothing where the result does not fit") {
  CHECK(checked_add<std::uint64_t>(1, 2) == 3);
  CHECK(!checked_add<std::uint64_t>(~std::uint64_t{0}, 1));
  CHECK(!checked_mul<std::uint64_t>(std::uint64_t{1} << 32, std::uint64_t{1} << 32));
  CHECK(!narrow<std::uint32_t>(std::int64_t{-1}));
  CHECK(narrow<std::uint8_t>(255) == 255);
}

}  // namespace
}  // namespace ptsd
