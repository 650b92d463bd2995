// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "base/byte_source.h"

namespace ptsd {

// Another source, read through a window: many small reads that lie close together, the later ones
// further behind, become a few of the source. Borrows it; for one thread alone.
class ReadAhead final : public ByteSource {
 public:
  // Larger reads go to the source as they are.
  static constexpr std::uint64_t kLargest = std::uint64_t{4} << 10;  // bytes

  explicit ReadAhead(const ByteSource& source) : source_(source) {}

  using ByteSource::read;
  const std::string& name() const override { return source_.name(); }
  std::uint64_t size() const override { return source_.size(); }
  void read(std::uint64_t offset, std::span<std::byte> out) const override;

 private:
  static constexpr std::uint64_t kWindow = std::uint64_t{16} << 10;  // bytes

  bool has(std::uint64_t offset, std::uint64_t size) const;

  const ByteSource& source_;
  mutable std::vector<std::byte> window_;
  mutable std::uint64_t begin_ = 0;  // of the window
};

// A window for each source.
class ReadAheads {
 public:
  const ReadAhead& of(const ByteSource& source) {
    return windows_.try_emplace(&source, source).first->second;
  }

 private:
  std::map<const ByteSource*, ReadAhead> windows_;
};

}  // namespace ptsd
