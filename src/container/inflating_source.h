// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "base/byte_source.h"

// Raw deflate data as what they inflate to, in a few blocks of memory whatever their size: for a
// look at a beginning. Reads go forward; one that goes back begins anew. Neither that there are
// `size` bytes nor that they are the right ones is known before somebody has read them. Borrows the
// source. Safe to use from several threads, one at a time.

namespace ptsd::container {

class InflatingSource final : public ByteSource {
 public:
  // The data at [offset, offset + compressed_size) of `compressed`, a member by name.
  InflatingSource(const ByteSource& compressed, std::string_view member, std::uint64_t offset,
                  std::uint64_t compressed_size, std::uint64_t size);
  ~InflatingSource() override;

  using ByteSource::read;
  const std::string& name() const override { return compressed_.name(); }
  std::uint64_t size() const override { return size_; }
  // Throws Error::Malformed for data that are broken, or end too early.
  void read(std::uint64_t offset, std::span<std::byte> out) const override;

 private:
  class Stream;

  [[noreturn]] void fail_member(Error::Kind kind, std::string message) const;

  const ByteSource& compressed_;
  std::string member_;
  std::uint64_t offset_;
  std::uint64_t compressed_size_;
  std::uint64_t size_;
  mutable std::mutex mutex_;
  mutable std::unique_ptr<Stream> stream_;  // null: nothing has been read
};

}  // namespace ptsd::container
