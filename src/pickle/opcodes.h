// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

// Every opcode of pickle protocols 0 to 5, as CPython's Lib/pickletools.py lists them. The
// decoder, the machine and the encoder read this table; a test compares it with pickletools.

namespace ptsd::pickle {

enum class Op : std::uint8_t {
  Mark = '(',
  EmptyTuple = ')',
  Stop = '.',
  Pop = '0',
  PopMark = '1',
  Dup = '2',
  BinBytes = 'B',
  ShortBinBytes = 'C',
  Float = 'F',
  BinFloat = 'G',
  Int = 'I',
  BinInt = 'J',
  BinInt1 = 'K',
  Long = 'L',
  BinInt2 = 'M',
  None = 'N',
  PersId = 'P',
  BinPersId = 'Q',
  Reduce = 'R',
  String = 'S',
  BinString = 'T',
  ShortBinString = 'U',
  Unicode = 'V',
  BinUnicode = 'X',
  EmptyList = ']',
  Append = 'a',
  Build = 'b',
  Global = 'c',
  Dict = 'd',
  Appends = 'e',
  Get = 'g',
  BinGet = 'h',
  Inst = 'i',
  LongBinGet = 'j',
  List = 'l',
  Obj = 'o',
  Put = 'p',
  BinPut = 'q',
  LongBinPut = 'r',
  SetItem = 's',
  Tuple = 't',
  SetItems = 'u',
  EmptyDict = '}',
  Proto = 0x80,
  NewObj = 0x81,
  Ext1 = 0x82,
  Ext2 = 0x83,
  Ext4 = 0x84,
  Tuple1 = 0x85,
  Tuple2 = 0x86,
  Tuple3 = 0x87,
  NewTrue = 0x88,
  NewFalse = 0x89,
  Long1 = 0x8A,
  Long4 = 0x8B,
  ShortBinUnicode = 0x8C,
  BinUnicode8 = 0x8D,
  BinBytes8 = 0x8E,
  EmptySet = 0x8F,
  AddItems = 0x90,
  FrozenSet = 0x91,
  NewObjEx = 0x92,
  StackGlobal = 0x93,
  Memoize = 0x94,
  Frame = 0x95,
  ByteArray8 = 0x96,
  NextBuffer = 0x97,
  ReadOnlyBuffer = 0x98,
};

// What follows the opcode byte. Integers are little-endian; a counted form is its length (1, 4 or
// 8 bytes) and that many bytes; a line ends with '\n'.
enum class Argument : std::uint8_t {
  None,
  U8,
  U16,
  I32,
  U32,
  U64,
  F64Be,        // IEEE 754, big-endian
  Long1,        // u8 length, two's complement
  Long4,        // i32 length, two's complement
  IntLine,      // decimal
  LongLine,     // decimal, with an optional trailing L
  FloatLine,    // decimal
  Line,         // raw text
  TwoLines,     // raw text, twice
  StringLine,   // quoted, with Python 2's escapes
  UnicodeLine,  // raw-unicode-escape
  String1,      // bytes, text to Python 2
  String4,      // likewise; the length is an i32
  Unicode1,     // UTF-8 with surrogates allowed
  Unicode4,
  Unicode8,
  Bytes1,
  Bytes4,
  Bytes8,
  ByteArray8,
};

struct OpInfo {
  Op op;
  std::string_view name;
  Argument argument;
  std::uint8_t protocol;  // that introduced it
  bool weights_only;      // known to torch.load(weights_only=True), torch 2.13
};

inline constexpr auto kOps = std::to_array<OpInfo>({
    {Op::Mark,            "MARK",             Argument::None,        0, true },
    {Op::EmptyTuple,      "EMPTY_TUPLE",      Argument::None,        1, true },
    {Op::Stop,            "STOP",             Argument::None,        0, true },
    {Op::Pop,             "POP",              Argument::None,        0, false},
    {Op::PopMark,         "POP_MARK",         Argument::None,        1, false},
    {Op::Dup,             "DUP",              Argument::None,        0, false},
    {Op::BinBytes,        "BINBYTES",         Argument::Bytes4,      3, false},
    {Op::ShortBinBytes,   "SHORT_BINBYTES",   Argument::Bytes1,      3, false},
    {Op::Float,           "FLOAT",            Argument::FloatLine,   0, false},
    {Op::BinFloat,        "BINFLOAT",         Argument::F64Be,       1, true },
    {Op::Int,             "INT",              Argument::IntLine,     0, false},
    {Op::BinInt,          "BININT",           Argument::I32,         1, true },
    {Op::BinInt1,         "BININT1",          Argument::U8,          1, true },
    {Op::Long,            "LONG",             Argument::LongLine,    0, false},
    {Op::BinInt2,         "BININT2",          Argument::U16,         1, true },
    {Op::None,            "NONE",             Argument::None,        0, true },
    {Op::PersId,          "PERSID",           Argument::Line,        0, false},
    {Op::BinPersId,       "BINPERSID",        Argument::None,        1, true },
    {Op::Reduce,          "REDUCE",           Argument::None,        0, true },
    {Op::String,          "STRING",           Argument::StringLine,  0, false},
    {Op::BinString,       "BINSTRING",        Argument::String4,     1, false},
    {Op::ShortBinString,  "SHORT_BINSTRING",  Argument::String1,     1, true },
    {Op::Unicode,         "UNICODE",          Argument::UnicodeLine, 0, false},
    {Op::BinUnicode,      "BINUNICODE",       Argument::Unicode4,    1, true },
    {Op::EmptyList,       "EMPTY_LIST",       Argument::None,        1, true },
    {Op::Append,          "APPEND",           Argument::None,        0, true },
    {Op::Build,           "BUILD",            Argument::None,        0, true },
    {Op::Global,          "GLOBAL",           Argument::TwoLines,    0, true },
    {Op::Dict,            "DICT",             Argument::None,        0, false},
    {Op::Appends,         "APPENDS",          Argument::None,        1, true },
    {Op::Get,             "GET",              Argument::IntLine,     0, false},
    {Op::BinGet,          "BINGET",           Argument::U8,          1, true },
    {Op::Inst,            "INST",             Argument::TwoLines,    0, false},
    {Op::LongBinGet,      "LONG_BINGET",      Argument::U32,         1, true },
    {Op::List,            "LIST",             Argument::None,        0, false},
    {Op::Obj,             "OBJ",              Argument::None,        1, false},
    {Op::Put,             "PUT",              Argument::IntLine,     0, false},
    {Op::BinPut,          "BINPUT",           Argument::U8,          1, true },
    {Op::LongBinPut,      "LONG_BINPUT",      Argument::U32,         1, true },
    {Op::SetItem,         "SETITEM",          Argument::None,        0, true },
    {Op::Tuple,           "TUPLE",            Argument::None,        0, true },
    {Op::SetItems,        "SETITEMS",         Argument::None,        1, true },
    {Op::EmptyDict,       "EMPTY_DICT",       Argument::None,        1, true },
    {Op::Proto,           "PROTO",            Argument::U8,          2, true },
    {Op::NewObj,          "NEWOBJ",           Argument::None,        2, true },
    {Op::Ext1,            "EXT1",             Argument::U8,          2, false},
    {Op::Ext2,            "EXT2",             Argument::U16,         2, false},
    {Op::Ext4,            "EXT4",             Argument::I32,         2, false},
    {Op::Tuple1,          "TUPLE1",           Argument::None,        2, true },
    {Op::Tuple2,          "TUPLE2",           Argument::None,        2, true },
    {Op::Tuple3,          "TUPLE3",           Argument::None,        2, true },
    {Op::NewTrue,         "NEWTRUE",          Argument::None,        2, true },
    {Op::NewFalse,        "NEWFALSE",         Argument::None,        2, true },
    {Op::Long1,           "LONG1",            Argument::Long1,       2, true },
    {Op::Long4,           "LONG4",            Argument::Long4,       2, false},
    {Op::ShortBinUnicode, "SHORT_BINUNICODE", Argument::Unicode1,    4, false},
    {Op::BinUnicode8,     "BINUNICODE8",      Argument::Unicode8,    4, false},
    {Op::BinBytes8,       "BINBYTES8",        Argument::Bytes8,      4, false},
    {Op::EmptySet,        "EMPTY_SET",        Argument::None,        4, true },
    {Op::AddItems,        "ADDITEMS",         Argument::None,        4, false},
    {Op::FrozenSet,       "FROZENSET",        Argument::None,        4, false},
    {Op::NewObjEx,        "NEWOBJ_EX",        Argument::None,        4, false},
    {Op::StackGlobal,     "STACK_GLOBAL",     Argument::None,        4, false},
    {Op::Memoize,         "MEMOIZE",          Argument::None,        4, false},
    {Op::Frame,           "FRAME",            Argument::U64,         4, false},
    {Op::ByteArray8,      "BYTEARRAY8",       Argument::ByteArray8,  5, false},
    {Op::NextBuffer,      "NEXT_BUFFER",      Argument::None,        5, false},
    {Op::ReadOnlyBuffer,  "READONLY_BUFFER",  Argument::None,        5, false},
});

inline constexpr unsigned kHighestProtocol = 5;

namespace detail {

// Row of kOps by byte, or -1. Does not compile if a byte is listed twice.
consteval std::array<std::int8_t, 256> index_ops() {
  std::array<std::int8_t, 256> rows{};
  rows.fill(-1);
  std::int8_t row = 0;
  for (const OpInfo& info : kOps) {
    auto& slot = rows[static_cast<std::uint8_t>(info.op)];
    if (slot != -1) throw "an opcode byte is listed twice";
    slot = row++;
  }
  return rows;
}

inline constexpr std::array<std::int8_t, 256> kRowOfByte = index_ops();

}  // namespace detail

// The opcode with this byte, or null when there is none.
constexpr const OpInfo* find_op(std::uint8_t byte) {
  const std::int8_t row = detail::kRowOfByte[byte];
  return row < 0 ? nullptr : &kOps[static_cast<std::size_t>(row)];
}

constexpr std::string_view name_of(Op op) {
  return find_op(static_cast<std::uint8_t>(op))->name;
}

}  // namespace ptsd::pickle
