// SPDX-License-Identifier: Apache-2.0
#include "pickle/decoder.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

namespace ptsd::pickle {
namespace {

std::int64_t big_endian_bits(std::string_view bytes) {
  std::uint64_t bits = 0;
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(byte);
  }
  return static_cast<std::int64_t>(bits);
}

}  // namespace

void Decoder::next(Instruction& instruction) {
  const std::uint64_t offset = reader_.position();
  if (reader_.remaining() == 0) {
    reader_.fail(Error::Kind::Malformed, "the pickle ends without STOP");
  }
  const std::uint8_t byte = reader_.u8("an opcode");
  instruction = {.info = find_op(byte), .offset = offset};
  if (instruction.info == nullptr) {
    fail_at(offset, Error::Kind::Malformed, fmt::format("byte {:#04x} is no pickle opcode", byte));
  }
  if (instruction.info->argument != Argument::None) read_argument(instruction);
  if (frame_end_ != 0) check_frame(instruction);
  if (instruction.op() == Op::Frame) enter_frame(instruction);
}

void Decoder::read_argument(Instruction& instruction) {
  const std::string_view name = instruction.info->name;
  const auto counted = [&](std::uint64_t size) { return as_text(reader_.take(size, name)); };
  switch (instruction.info->argument) {
    case Argument::None: return;
    case Argument::U8: instruction.number = reader_.u8(name); return;
    case Argument::U16: instruction.number = reader_.u16_le(name); return;
    case Argument::I32:
      instruction.number = static_cast<std::int32_t>(reader_.u32_le(name));
      return;
    case Argument::U32: instruction.number = reader_.u32_le(name); return;
    case Argument::U64:
      instruction.number = static_cast<std::int64_t>(reader_.u64_le(name));
      return;
    case Argument::F64Be: instruction.number = big_endian_bits(counted(8)); return;
    case Argument::Long1:
    case Argument::String1:
    case Argument::Unicode1:
    case Argument::Bytes1: instruction.text = counted(reader_.u8(name)); return;
    case Argument::Long4:
    case Argument::String4: instruction.text = counted(signed_size(instruction)); return;
    case Argument::Unicode4:
    case Argument::Bytes4: instruction.text = counted(reader_.u32_le(name)); return;
    case Argument::Unicode8:
    case Argument::Bytes8:
    case Argument::ByteArray8: instruction.text = counted(reader_.u64_le(name)); return;
    case Argument::IntLine:
    case Argument::LongLine:
    case Argument::FloatLine:
    case Argument::Line:
    case Argument::StringLine:
    case Argument::UnicodeLine: instruction.text = reader_.line(name); return;
    case Argument::TwoLines:
      instruction.text = reader_.line(name);
      instruction.second = reader_.line(name);
      return;
  }
}

std::uint64_t Decoder::signed_size(const Instruction& instruction) {
  const auto size = static_cast<std::int32_t>(reader_.u32_le(instruction.info->name));
  if (size < 0) {
    fail_at(instruction.offset, Error::Kind::Malformed,
            fmt::format("{} has the negative length {}", instruction.info->name, size));
  }
  return static_cast<std::uint64_t>(size);
}

void Decoder::enter_frame(const Instruction& instruction) {
  const auto size = static_cast<std::uint64_t>(instruction.number);
  if (frame_end_ != 0) {
    fail_at(instruction.offset, Error::Kind::Malformed,
            fmt::format("FRAME inside a frame that ends at {:#x}", frame_end_));
  }
  if (size > reader_.remaining()) {
    fail_at(instruction.offset, Error::Kind::Malformed,
            fmt::format("FRAME of {} bytes, {} left", size, reader_.remaining()));
  }
  frame_end_ = size == 0 ? 0 : reader_.position() + size;
}

void Decoder::check_frame(const Instruction& instruction) {
  const std::uint64_t end = reader_.position();
  if (end > frame_end_) {
    fail_at(instruction.offset, Error::Kind::Malformed,
            fmt::format("{} reaches past the end of its frame at {:#x}", instruction.info->name,
                        frame_end_));
  }
  if (end < frame_end_ && instruction.op() == Op::Stop) {
    fail_at(instruction.offset, Error::Kind::Malformed,
            fmt::format("STOP before the end of its frame at {:#x}", frame_end_));
  }
  if (end == frame_end_) frame_end_ = 0;
}

}  // namespace ptsd::pickle
