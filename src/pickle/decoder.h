// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/byte_reader.h"
#include "base/bytes.h"
#include "base/error.h"
#include "pickle/opcodes.h"

// The first of the two steps that read a pickle: bytes to instructions. It knows what an argument
// looks like and nothing of stacks; the machine is one reader of it, a disassembler another.
//
// Frames (protocol 4 and 5) are checked here: an instruction that straddles the end of its frame,
// a frame in a frame and a frame that ends past STOP are errors, because readers that buffer by
// frame and readers that do not would see different streams.

namespace ptsd::pickle {

struct Instruction {
  const OpInfo* info = nullptr;
  std::uint64_t offset = 0;      // of the opcode byte
  std::int64_t number = 0;       // integers; the bits of a double; the size of a frame
  std::string_view text = {};    // counted bytes, or the (first) line: raw, not unescaped
  std::string_view second = {};  // the second line of TwoLines

  Op op() const { return info->op; }
};

class Decoder {
 public:
  // Borrows both. `origin` names the stream in errors.
  Decoder(Bytes stream, const Where& origin) : reader_(stream, origin) {}

  // The next instruction. Throws Error::Malformed at the end of the stream: a pickle ends with
  // STOP, and nobody asks for more after it.
  Instruction next() {
    Instruction instruction;
    next(instruction);
    return instruction;
  }
  // Likewise, in place: a copy behind every opcode is a fifth of the time a large pickle takes.
  void next(Instruction& instruction);

  std::uint64_t position() const { return reader_.position(); }
  std::uint64_t remaining() const { return reader_.remaining(); }
  Where where(std::uint64_t offset) const { return reader_.where(offset); }
  [[noreturn]] void fail_at(std::uint64_t offset, Error::Kind kind, std::string message) const {
    reader_.fail_at(offset, kind, std::move(message));
  }

 private:
  void read_argument(Instruction& instruction);
  std::uint64_t signed_size(const Instruction& instruction);
  void enter_frame(const Instruction& instruction);
  void check_frame(const Instruction& instruction);

  ByteReader reader_;
  std::uint64_t frame_end_ = 0;  // 0: outside any frame
};

}  // namespace ptsd::pickle
