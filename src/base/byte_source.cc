// SPDX-License-Identifier: Apache-2.0
#include "base/byte_source.h"

#include <algorithm>

#include <fmt/format.h>

namespace ptsd {

std::vector<std::byte> ByteSource::read(std::uint64_t offset, std::uint64_t size) const {
  std::vector<std::byte> bytes(size);
  read(offset, std::span(bytes));
  return bytes;
}

void ByteSource::fail(Error::Kind kind, std::string message) const {
  throw Error(kind, Where{.file = name()}, std::move(message));
}

void ByteSource::fail_at(std::uint64_t offset, Error::Kind kind, std::string message) const {
  throw Error(kind, Where{.file = name(), .offset = offset}, std::move(message));
}

void MemorySource::read(std::uint64_t offset, std::span<std::byte> out) const {
  const std::optional<Bytes> found = checked_subview(bytes_, offset, out.size());
  if (!found) {
    fail_at(offset, Error::Kind::Io,
            fmt::format("read of {} bytes past the end at {}", out.size(), bytes_.size()));
  }
  std::ranges::copy(*found, out.begin());
}

void RangeSource::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset > length_ || out.size() > length_ - offset) {
    whole_.fail_at(begin_, Error::Kind::Io,
                   fmt::format("read of {} bytes at {} of {}", out.size(), offset, length_));
  }
  whole_.read(begin_ + offset, out);
}

}  // namespace ptsd
