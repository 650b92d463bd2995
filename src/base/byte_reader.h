// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

// A cursor over borrowed bytes. Every read is checked; a read past the end throws
// Error::Malformed with the offset at which the read began. `what` completes the sentence
// "the data ends inside ...".

namespace ptsd {

class ByteReader {
 public:
  // `origin` names the input in errors; its offset (0 if unset) is where `bytes` begins. Both
  // must outlive the reader.
  ByteReader(Bytes bytes, const Where& origin) : bytes_(bytes), origin_(&origin) {}

  std::uint64_t position() const { return position_; }
  std::uint64_t remaining() const { return bytes_.size() - position_; }

  Bytes take(std::uint64_t count, std::string_view what) {
    if (count > remaining()) fail_short(count, what);
    const Bytes taken = bytes_.subspan(position_, static_cast<std::size_t>(count));
    position_ += taken.size();
    return taken;
  }
  // The bytes before the next '\n', which is consumed and not returned.
  std::string_view line(std::string_view what);
  std::uint8_t u8(std::string_view what) { return integer<std::uint8_t>(what); }
  std::uint16_t u16_le(std::string_view what) { return integer<std::uint16_t>(what); }
  std::uint32_t u32_le(std::string_view what) { return integer<std::uint32_t>(what); }
  std::uint64_t u64_le(std::string_view what) { return integer<std::uint64_t>(what); }

  // The place of the byte at `position`.
  Where where(std::uint64_t position) const;
  [[noreturn]] void fail(Error::Kind kind, std::string message) const;
  [[noreturn]] void fail_at(std::uint64_t position, Error::Kind kind, std::string message) const;

 private:
  [[noreturn]] void fail_short(std::uint64_t wanted, std::string_view what) const;

  template <class T>
  T integer(std::string_view what) {
    if (sizeof(T) > remaining()) fail_short(sizeof(T), what);
    std::array<std::byte, sizeof(T)> raw;
    std::memcpy(raw.data(), bytes_.data() + position_, sizeof(T));
    if constexpr (std::endian::native == std::endian::big) std::ranges::reverse(raw);
    position_ += sizeof(T);
    return std::bit_cast<T>(raw);
  }

  Bytes bytes_;
  const Where* origin_;
  std::size_t position_ = 0;
};

}  // namespace ptsd
