// SPDX-License-Identifier: Apache-2.0
#include "pickle/opcode_writer.h"

#include <string>

#include <doctest/doctest.h>

#include "unit/pickle/encoding.h"

namespace ptsd::pickle {
namespace {

constexpr std::size_t kFrame = 65536;

TEST_CASE("a frame begins behind PROTO and ends with STOP") {
  OpcodeWriter writer(4, 0);
  writer.number(Op::BinInt2, 999, 2);
  CHECK(text_of(writer.finish()) == text_of(pickle().proto(4).frame(4).binint2(999).stop()));
}

TEST_CASE("fewer than four bytes are no frame") {
  OpcodeWriter writer(4, 0);
  writer.number(Op::BinInt1, 9, 1);
  CHECK(text_of(writer.finish()) == text_of(pickle().proto(4).binint1(9).stop()));
}

TEST_CASE("before protocol 4 there are no frames, and before 2 there is no PROTO") {
  for (const unsigned protocol : {1u, 2u, 3u}) {
    OpcodeWriter writer(protocol, 0);
    writer.counted(Op::BinUnicode, std::string(kFrame, 'x'), 4);
    writer.boundary();
    auto expected = pickle();
    if (protocol >= 2) expected.proto(static_cast<std::uint8_t>(protocol));
    CHECK(text_of(writer.finish()) ==
          text_of(expected.binunicode(std::string(kFrame, 'x')).stop()));
  }
}

TEST_CASE("a frame of 64 KiB ends at the next boundary, a smaller one goes on") {
  OpcodeWriter writer(4, 0);
  const std::string text(kFrame - 6, 'x');
  writer.counted(Op::BinUnicode, text, 4);  // one byte short
  writer.boundary();
  writer.op(Op::None);
  writer.op(Op::None);
  writer.boundary();
  writer.number(Op::BinInt2, 999, 2);
  CHECK(text_of(writer.finish()) == text_of(pickle()
                                                .proto(4)
                                                .frame(kFrame + 1)
                                                .binunicode(text)
                                                .none()
                                                .none()
                                                .frame(4)
                                                .binint2(999)
                                                .stop()));
}

TEST_CASE("text of 64 KiB stands between frames, and the memo opcode begins the next") {
  OpcodeWriter writer(4, 0);
  const std::string text(kFrame, 'x');
  writer.op(Op::Mark);
  writer.op(Op::None);
  writer.op(Op::None);
  writer.op(Op::None);
  writer.counted(Op::BinUnicode, text, 4);
  writer.op(Op::Memoize);
  writer.counted(Op::BinUnicode, text, 4);
  writer.op(Op::Memoize);
  writer.op(Op::Tuple2);
  writer.op(Op::Memoize);
  CHECK(text_of(writer.finish()) == text_of(pickle()
                                                .proto(4)
                                                .frame(4)
                                                .mark()
                                                .none()
                                                .none()
                                                .none()
                                                .binunicode(text)
                                                .memoize()
                                                .binunicode(text)
                                                .frame(4)
                                                .memoize()
                                                .tuple2()
                                                .memoize()
                                                .stop()));
}

TEST_CASE("arguments are little-endian, but for the bits of a double") {
  OpcodeWriter writer(1, 0);
  writer.number(Op::LongBinPut, 0x01020304, 4);
  writer.big_endian(Op::BinFloat, 0x3FF8000000000000);
  writer.line(Op::Int, "01");
  writer.two_lines(Op::Global, "m", "n");
  CHECK(text_of(writer.finish()) ==
        text_of(
            pickle().long_binput(0x01020304).binfloat(1.5).int_line("01").global("m", "n").stop()));
}

}  // namespace
}  // namespace ptsd::pickle
