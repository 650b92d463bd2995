// SPDX-License-Identifier: Apache-2.0
#include "pickle/stream_end.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/byte_reader.h"
#include "pickle/opcodes.h"

namespace ptsd::pickle {
namespace {

constexpr std::uint64_t kFirstWindow = 4096;                    // bytes
constexpr std::uint64_t kLargestWindow = 1 << 20;               // bytes
constexpr std::uint64_t kLongestName = std::uint64_t{1} << 20;  // bytes of a line that is no text

// What follows an opcode: `fixed` bytes; or a length of `length` bytes and as many bytes as that
// says; or `lines`.
struct Extent {
  std::uint8_t fixed = 0;
  std::uint8_t length = 0;
  bool signed_length = false;
  std::uint8_t lines = 0;
  bool is_text = false;  // of any length
};

constexpr Extent extent_of(Argument argument) {
  switch (argument) {
    case Argument::None: return {};
    case Argument::U8: return {.fixed = 1};
    case Argument::U16: return {.fixed = 2};
    case Argument::I32:
    case Argument::U32: return {.fixed = 4};
    case Argument::U64:
    case Argument::F64Be: return {.fixed = 8};
    case Argument::Long1:
    case Argument::String1:
    case Argument::Unicode1:
    case Argument::Bytes1: return {.length = 1};
    case Argument::Long4:
    case Argument::String4: return {.length = 4, .signed_length = true};
    case Argument::Unicode4:
    case Argument::Bytes4: return {.length = 4};
    case Argument::Unicode8:
    case Argument::Bytes8:
    case Argument::ByteArray8: return {.length = 8};
    case Argument::IntLine:
    case Argument::LongLine:
    case Argument::FloatLine:
    case Argument::Line: return {.lines = 1};
    case Argument::StringLine:
    case Argument::UnicodeLine: return {.lines = 1, .is_text = true};
    case Argument::TwoLines: return {.lines = 2};
  }
  return {};
}

class Scanner {
 public:
  Scanner(const ByteSource& source, std::uint64_t offset, std::uint64_t most, const Where& origin)
      : source_(source), begin_(offset), most_(most), origin_(origin) {}

  // Of the pickle, in bytes.
  std::uint64_t size() {
    const OpInfo* info = nullptr;
    do {
      opcode_ = position_;
      info = next_op();
      skip_argument(*info);
    } while (info->op != Op::Stop);
    return position_;
  }

 private:
  [[noreturn]] void fail(std::uint64_t position, Error::Kind kind, std::string message) const {
    Where where = origin_;
    where.offset = begin_ + position;
    throw Error(kind, std::move(where), std::move(message));
  }

  [[noreturn]] void fail_end(std::string_view name) const {
    if (source_.size() - begin_ > most_) {
      fail(0, Error::Kind::Limit,
           fmt::format("a pickle of more than {} bytes (--limit pickle-bytes=N)", most_));
    }
    if (name.empty()) fail(position_, Error::Kind::Malformed, "the pickle ends without STOP");
    fail(opcode_, Error::Kind::Malformed, fmt::format("the data ends inside {}", name));
  }

  const OpInfo* next_op() {
    if (remaining() == 0) fail_end("");
    const auto byte = static_cast<std::uint8_t>(take(1));
    const OpInfo* const info = find_op(byte);
    if (info == nullptr) {
      fail(opcode_, Error::Kind::Malformed, fmt::format("byte {:#04x} is no pickle opcode", byte));
    }
    return info;
  }

  void skip_argument(const OpInfo& info) {
    const Extent extent = extent_of(info.argument);
    skip(extent.fixed, info.name);
    if (extent.length > 0) skip_counted(extent, info.name);
    for (unsigned i = 0; i < extent.lines; ++i) {
      skip_line(extent, info.name);
    }
  }

  void skip_counted(const Extent& extent, std::string_view name) {
    if (extent.length > remaining()) fail_end(name);
    const std::uint64_t length = take(extent.length);
    if (extent.signed_length && length > 0x7FFFFFFF) {
      fail(opcode_, Error::Kind::Malformed, fmt::format("{} has a negative length", name));
    }
    skip(length, name);
  }

  void skip_line(const Extent& extent, std::string_view name) {
    const std::uint64_t begin = position_;
    for (;;) {
      if (remaining() == 0) fail_end(name);
      fill(1);
      const std::string_view text = as_text(window_).substr(position_ - window_begin_);
      const std::size_t end = text.find('\n');
      position_ += std::min(end, text.size());
      if (!extent.is_text && position_ - begin > kLongestName) {
        fail(opcode_, Error::Kind::Malformed,
             fmt::format("a line of {} has more than {} bytes", name, kLongestName));
      }
      if (end != std::string_view::npos) break;
    }
    ++position_;
  }

  void skip(std::uint64_t count, std::string_view name) {
    if (count > remaining()) fail_end(name);
    position_ += count;
  }

  // A little-endian number of so many bytes, which are there.
  std::uint64_t take(std::size_t count) {
    fill(count);
    std::uint64_t value = 0;
    for (std::size_t i = count; i-- > 0;) {
      value = value << 8 | std::to_integer<std::uint64_t>(window_[position_ - window_begin_ + i]);
    }
    position_ += count;
    return value;
  }

  // Has the window hold the `count` bytes at the position.
  void fill(std::uint64_t count) {
    if (position_ >= window_begin_ && position_ + count <= window_begin_ + window_.size()) return;
    next_window_ = std::min(2 * next_window_, kLargestWindow);
    window_.resize(std::min(remaining(), next_window_));
    source_.read(begin_ + position_, window_);
    window_begin_ = position_;
  }

  std::uint64_t remaining() const { return std::min(source_.size() - begin_, most_) - position_; }

  const ByteSource& source_;
  std::uint64_t begin_;  // of the pickle in the source
  std::uint64_t most_;
  const Where& origin_;
  std::vector<std::byte> window_;
  std::uint64_t window_begin_ = 0;  // from here on all in bytes from the beginning of the pickle
  std::uint64_t next_window_ = kFirstWindow / 2;
  std::uint64_t position_ = 0;
  std::uint64_t opcode_ = 0;
};

}  // namespace

std::vector<std::byte> read_stream(const ByteSource& source, std::uint64_t offset,
                                   std::uint64_t most, const Where& origin) {
  const std::uint64_t size = Scanner(source, offset, most, origin).size();
  return source.read(offset, size);
}

}  // namespace ptsd::pickle
