// SPDX-License-Identifier: Apache-2.0
#include "pickle/decoder.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "support/pickle_assembler.h"

namespace ptsd::pickle {
namespace {

using test::pickle;

const Where kOrigin = {.member = "p"};

Instruction decode_one(const std::vector<std::byte>& stream) {
  Decoder decoder(stream, kOrigin);
  const Instruction instruction = decoder.next();
  CHECK(decoder.remaining() == 0);
  return instruction;
}

std::int64_t number_in(const std::vector<std::byte>& stream) {
  return decode_one(stream).number;
}

// The text may not outlive the stream.
std::string text_in(const std::vector<std::byte>& stream) {
  return std::string(decode_one(stream).text);
}

// What decoding up to STOP ends with; empty for STOP.
std::string refusal(const std::vector<std::byte>& stream) {
  try {
    Decoder decoder(stream, kOrigin);
    while (decoder.next().op() != Op::Stop) {
    }
  } catch (const Error& error) {
    CHECK(error.kind() == Error::Kind::Malformed);
    return error.what();
  }
  return "";
}

TEST_CASE("every opcode of the table is found by its byte and no other byte is one") {
  std::size_t found = 0;
  for (unsigned byte = 0; byte < 256; ++byte) {
    const OpInfo* info = find_op(static_cast<std::uint8_t>(byte));
    if (info == nullptr) continue;
    ++found;
    CHECK(static_cast<unsigned>(info->op) == byte);
    CHECK(name_of(info->op) == info->name);
  }
  CHECK(found == kOps.size());
}

TEST_CASE("an instruction knows its opcode and where it stands") {
  const auto stream = pickle().proto(2).binint1(7).stop();
  Decoder decoder(stream, kOrigin);
  CHECK(decoder.next().offset == 0);
  const Instruction second = decoder.next();
  CHECK(second.op() == Op::BinInt1);
  CHECK(second.offset == 2);
  CHECK(decoder.position() == 4);
  CHECK(decoder.next().op() == Op::Stop);
}

TEST_CASE("numbers are little-endian, BININT and EXT4 are signed, a double is big-endian") {
  CHECK(number_in(pickle().binint1(255).bytes()) == 255);
  CHECK(number_in(pickle().binint2(0xFFFE).bytes()) == 0xFFFE);
  CHECK(number_in(pickle().binint(-2).bytes()) == -2);
  CHECK(number_in(pickle().ext4(-2).bytes()) == -2);
  CHECK(number_in(pickle().long_binput(0xFFFFFFFF).bytes()) == 0xFFFFFFFF);
  CHECK(number_in(pickle().binfloat(1.0).bytes()) == 0x3FF0'0000'0000'0000);
  CHECK(number_in(pickle().raw("\x95").raw(std::string(8, '\0')).bytes()) == 0);
}

TEST_CASE("counted text comes without its length") {
  CHECK(text_in(pickle().long1("ab").bytes()) == "ab");
  CHECK(text_in(pickle().long4("ab").bytes()) == "ab");
  CHECK(text_in(pickle().short_binstring("ab").bytes()) == "ab");
  CHECK(text_in(pickle().binstring("ab").bytes()) == "ab");
  CHECK(text_in(pickle().short_binunicode("ab").bytes()) == "ab");
  CHECK(text_in(pickle().binunicode("ab").bytes()) == "ab");
  CHECK(text_in(pickle().binunicode8("ab").bytes()) == "ab");
  CHECK(text_in(pickle().short_binbytes("ab").bytes()) == "ab");
  CHECK(text_in(pickle().binbytes("ab").bytes()) == "ab");
  CHECK(text_in(pickle().binbytes8("ab").bytes()) == "ab");
  CHECK(text_in(pickle().bytearray8("ab").bytes()) == "ab");
  CHECK(text_in(pickle().binunicode("").bytes()).empty());
}

TEST_CASE("a line comes raw and without its newline") {
  CHECK(text_in(pickle().int_line(" 0x1f ").bytes()) == " 0x1f ");
  CHECK(text_in(pickle().string_line("'\\n'").bytes()) == "'\\n'");
  CHECK(text_in(pickle().unicode_line("\\u0041\r").bytes()) == "\\u0041\r");
  CHECK(text_in(pickle().persid("").bytes()).empty());
  const auto stream = pickle().global("torch", "a b").bytes();
  const Instruction global = decode_one(stream);
  CHECK(global.text == "torch");
  CHECK(global.second == "a b");
}

TEST_CASE("a stream must end with STOP") {
  CHECK(refusal({}) == "p+0x0: the pickle ends without STOP");
  CHECK(refusal(pickle().proto(2).none().bytes()) == "p+0x3: the pickle ends without STOP");
}

TEST_CASE("a byte that is no opcode is refused") {
  CHECK(refusal(pickle().none().raw("\xff").stop()) == "p+0x1: byte 0xff is no pickle opcode");
  CHECK(refusal(pickle().raw("Z").stop()) == "p+0x0: byte 0x5a is no pickle opcode");
}

TEST_CASE("an argument that the stream cuts short is refused with the name of its opcode") {
  CHECK(refusal(pickle().raw("K").bytes()) ==
        "p+0x1: the data ends inside BININT1: 1 bytes wanted, 0 left");
  CHECK(refusal(pickle().raw("J\1\2").bytes()) ==
        "p+0x1: the data ends inside BININT: 4 bytes wanted, 2 left");
  CHECK(refusal(pickle().raw("G1234567").bytes()) ==
        "p+0x1: the data ends inside BINFLOAT: 8 bytes wanted, 7 left");
  CHECK(refusal(pickle().raw("\x8e\1\2\3").bytes()) ==
        "p+0x1: the data ends inside BINBYTES8: 8 bytes wanted, 3 left");
  CHECK(refusal(pickle().raw("I12").bytes()) ==
        "p+0x1: the data ends inside INT: no end of line in the last 2 bytes");
  CHECK(refusal(pickle().raw("cmodule\nname").bytes()) ==
        "p+0x8: the data ends inside GLOBAL: no end of line in the last 4 bytes");
}

TEST_CASE("a length is compared with what is left before anything is done with it") {
  CHECK(refusal(pickle()
                    .raw("X\xff\xff\xff\xff"
                         "a")
                    .bytes()) ==
        "p+0x5: the data ends inside BINUNICODE: 4294967295 bytes wanted, 1 left");
  CHECK(refusal(pickle()
                    .raw("\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
                         "ab")
                    .bytes()) ==
        "p+0x9: the data ends inside BINUNICODE8: 18446744073709551615 bytes wanted, 2 left");
  CHECK(refusal(pickle().raw({"\x96\0\0\0\0\0\0\0\x80", 9}).bytes()) ==
        "p+0x9: the data ends inside BYTEARRAY8: 9223372036854775808 bytes wanted, 0 left");
  CHECK(refusal(pickle().raw("\x8a\2a").bytes()) ==
        "p+0x2: the data ends inside LONG1: 2 bytes wanted, 1 left");
}

TEST_CASE("a signed length may not be negative") {
  CHECK(refusal(pickle().raw("\x8b\xff\xff\xff\xff").bytes()) ==
        "p+0x0: LONG4 has the negative length -1");
  CHECK(refusal(pickle().none().raw({"T\0\0\0\x80", 5}).bytes()) ==
        "p+0x1: BINSTRING has the negative length -2147483648");
}

TEST_CASE("frames that hold whole instructions change nothing") {
  CHECK(refusal(pickle().proto(4).frame(2).none().stop()).empty());
  CHECK(refusal(pickle().frame(1).none().frame(2).none().stop()).empty());
  CHECK(refusal(pickle().frame(0).frame(0).none().stop()).empty());
  CHECK(refusal(pickle().frame(1).none().binbytes("outside any frame").stop()).empty());
}

TEST_CASE("the FRAME that follows may be the last instruction of a frame") {
  CHECK(refusal(pickle().frame(10).none().frame(1).stop()).empty());
}

TEST_CASE("an instruction may not reach past the end of its frame") {
  CHECK(refusal(pickle().proto(4).frame(2).binunicode("abc").stop()) ==
        "p+0xb: BINUNICODE reaches past the end of its frame at 0xd");
  CHECK(refusal(pickle().frame(1).binint1(1).stop()) ==
        "p+0x9: BININT1 reaches past the end of its frame at 0xa");
  CHECK(refusal(pickle().frame(3).none().frame(1).stop()) ==
        "p+0xa: FRAME reaches past the end of its frame at 0xc");
}

TEST_CASE("a frame may not stand inside a frame") {
  CHECK(refusal(pickle().frame(11).none().frame(1).none().stop()) ==
        "p+0xa: FRAME inside a frame that ends at 0x14");
}

TEST_CASE("a frame may not end past the stream, nor past STOP") {
  CHECK(refusal(pickle().frame(3).none().stop()) == "p+0x0: FRAME of 3 bytes, 2 left");
  CHECK(refusal(pickle().frame(~std::uint64_t{0}).stop()) ==
        "p+0x0: FRAME of 18446744073709551615 bytes, 1 left");
  CHECK(refusal(pickle().frame(3).none().op(Op::Stop).none().bytes()) ==
        "p+0xa: STOP before the end of its frame at 0xc");
}

TEST_CASE("places are counted from where the stream stands in its member") {
  const Where origin = {.file = "m.pt", .member = "m/data.pkl", .offset = 0x100};
  const auto stream = pickle().none().bytes();
  Decoder decoder(stream, origin);
  decoder.next();
  CHECK_THROWS_WITH_AS(decoder.next(), "m.pt: m/data.pkl+0x101: the pickle ends without STOP",
                       Error);
}

}  // namespace
}  // namespace ptsd::pickle
