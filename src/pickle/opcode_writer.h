// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "pickle/opcodes.h"

// Opcodes and their arguments to bytes: the twin of the decoder, which likewise knows nothing of
// objects. Frames (protocol 4 and 5) are cut as CPython's C pickler cuts them (Modules/_pickle.c):
//
//   a frame is closed at the first boundary() at which it holds 64 KiB, and at the end
//   counted bytes of 64 KiB and more stand between frames, with their opcode
//   a frame of fewer than four bytes is written without its FRAME

namespace ptsd::pickle {

class OpcodeWriter {
 public:
  // Begins with PROTO from protocol 2 on. `expected_size`, in bytes, is reserved.
  OpcodeWriter(unsigned protocol, std::size_t expected_size);

  void op(Op op);
  // `value` in `size` bytes, the lowest first.
  void number(Op op, std::uint64_t value, unsigned size);
  void big_endian(Op op, std::uint64_t bits);
  // The length of `bytes` in `length_size` bytes, then `bytes`.
  void counted(Op op, std::string_view bytes, unsigned length_size);
  void line(Op op, std::string_view text);
  void two_lines(Op op, std::string_view first, std::string_view second);

  // Between two objects.
  void boundary() {
    if (in_frame_ && bytes_.size() - frame_start_ >= kFrameSize) close_frame();
  }

  // STOP, and the bytes of it all.
  std::vector<std::byte> finish();

 private:
  static constexpr std::size_t kFrameSize = std::size_t{64} << 10;  // bytes, without the header

  void begin() {
    if (framing_ && !in_frame_) open_frame();
  }
  void add(std::string_view text);
  void open_frame();
  void close_frame();

  std::vector<std::byte> bytes_;
  std::size_t frame_start_ = 0;  // of what the frame holds, behind its header
  bool framing_ = false;
  bool in_frame_ = false;
};

}  // namespace ptsd::pickle
