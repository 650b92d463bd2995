// SPDX-License-Identifier: Apache-2.0
#include "pickle/opcode_writer.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "base/bytes.h"

namespace ptsd::pickle {
namespace {

constexpr std::size_t kFrameHeaderSize = 9;  // FRAME and a u64
constexpr std::size_t kSmallestFrame = 4;

constexpr std::byte byte_of(Op op) {
  return static_cast<std::byte>(op);
}

void put_little_endian(std::span<std::byte> out, std::uint64_t value) {
  for (std::byte& byte : out) {
    byte = static_cast<std::byte>(value);
    value >>= 8;
  }
}

}  // namespace

OpcodeWriter::OpcodeWriter(unsigned protocol, std::size_t expected_size) {
  bytes_.reserve(expected_size);
  if (protocol >= 2) number(Op::Proto, protocol, 1);
  framing_ = protocol >= 4;
}

void OpcodeWriter::op(Op op) {
  begin();
  bytes_.push_back(byte_of(op));
}

void OpcodeWriter::number(Op op, std::uint64_t value, unsigned size) {
  begin();
  std::array<std::byte, 9> out{byte_of(op)};
  put_little_endian(std::span(out).subspan(1), value);
  bytes_.insert(bytes_.end(), out.begin(), out.begin() + 1 + size);
}

void OpcodeWriter::big_endian(Op op, std::uint64_t bits) {
  begin();
  std::array<std::byte, 9> out{byte_of(op)};
  put_little_endian(std::span(out).subspan(1), bits);
  std::reverse(out.begin() + 1, out.end());
  bytes_.insert(bytes_.end(), out.begin(), out.end());
}

void OpcodeWriter::counted(Op op, std::string_view bytes, unsigned length_size) {
  const bool between_frames = framing_ && bytes.size() >= kFrameSize;
  if (between_frames) {
    close_frame();
    framing_ = false;
  }
  number(op, bytes.size(), length_size);
  add(bytes);
  if (between_frames) framing_ = true;
}

void OpcodeWriter::line(Op op, std::string_view text) {
  this->op(op);
  add(text);
  add("\n");
}

void OpcodeWriter::two_lines(Op op, std::string_view first, std::string_view second) {
  line(op, first);
  add(second);
  add("\n");
}

void OpcodeWriter::add(std::string_view text) {
  const Bytes bytes = as_bytes(text);
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void OpcodeWriter::open_frame() {
  bytes_.resize(bytes_.size() + kFrameHeaderSize);
  frame_start_ = bytes_.size();
  in_frame_ = true;
}

void OpcodeWriter::close_frame() {
  if (!in_frame_) return;
  in_frame_ = false;
  const std::span<std::byte> header =
      std::span(bytes_).subspan(frame_start_ - kFrameHeaderSize, kFrameHeaderSize);
  const std::size_t size = bytes_.size() - frame_start_;
  if (size < kSmallestFrame) {
    const auto at = bytes_.begin() + static_cast<std::ptrdiff_t>(frame_start_ - kFrameHeaderSize);
    bytes_.erase(at, at + kFrameHeaderSize);
    return;
  }
  header[0] = byte_of(Op::Frame);
  put_little_endian(header.subspan(1), size);
}

std::vector<std::byte> OpcodeWriter::finish() {
  op(Op::Stop);
  close_frame();
  return std::move(bytes_);
}

}  // namespace ptsd::pickle
