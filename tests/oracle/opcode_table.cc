// SPDX-License-Identifier: Apache-2.0
// Prints the opcode table, a row a line, tab-separated: byte, name, argument, protocol, and 1 if
// torch.load(weights_only=True) knows it. opcodes_test.py compares it with Python's.

#include <cstdio>
#include <string_view>

#include <fmt/format.h>

#include "pickle/opcodes.h"

namespace {

using ptsd::pickle::Argument;

// What pickletools calls the argument.
std::string_view pickletools_name(Argument argument) {
  switch (argument) {
    case Argument::None: return "none";
    case Argument::U8: return "uint1";
    case Argument::U16: return "uint2";
    case Argument::I32: return "int4";
    case Argument::U32: return "uint4";
    case Argument::U64: return "uint8";
    case Argument::F64Be: return "float8";
    case Argument::Long1: return "long1";
    case Argument::Long4: return "long4";
    case Argument::IntLine: return "decimalnl_short";
    case Argument::LongLine: return "decimalnl_long";
    case Argument::FloatLine: return "floatnl";
    case Argument::Line: return "stringnl_noescape";
    case Argument::TwoLines: return "stringnl_noescape_pair";
    case Argument::StringLine: return "stringnl";
    case Argument::UnicodeLine: return "unicodestringnl";
    case Argument::String1: return "string1";
    case Argument::String4: return "string4";
    case Argument::Unicode1: return "unicodestring1";
    case Argument::Unicode4: return "unicodestring4";
    case Argument::Unicode8: return "unicodestring8";
    case Argument::Bytes1: return "bytes1";
    case Argument::Bytes4: return "bytes4";
    case Argument::Bytes8: return "bytes8";
    case Argument::ByteArray8: return "bytearray8";
  }
  return "?";
}

}  // namespace

int main() {
  for (const ptsd::pickle::OpInfo& info : ptsd::pickle::kOps) {
    fmt::print("{}\t{}\t{}\t{}\t{}\n", static_cast<unsigned>(info.op), info.name,
               pickletools_name(info.argument), info.protocol, info.weights_only ? 1 : 0);
  }
}
