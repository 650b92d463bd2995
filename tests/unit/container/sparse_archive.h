// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/byte_sink.h"
#include "base/byte_source.h"

// Archives of any size in little memory: what is written is kept, what is copied is a hole, and
// reads as zeros.

namespace ptsd::test {

// Has any number of bytes, which nobody may read.
class HoleSource final : public ByteSource {
 public:
  using ByteSource::read;
  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return ~std::uint64_t{0}; }
  void read(std::uint64_t offset, std::span<std::byte>) const override {
    fail_at(offset, Error::Kind::Io, "a read from a hole");
  }

 private:
  std::string name_ = "hole";
};

class SparseArchive final : public ByteSink, public ByteSource {
 public:
  using ByteSource::read;
  void write(Bytes bytes) override {
    pieces_[size_] = {bytes.begin(), bytes.end()};
    size_ += bytes.size();
  }
  void copy(const ByteSource&, std::uint64_t, std::uint64_t size) override { size_ += size; }

  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    std::fill(out.begin(), out.end(), std::byte{0});
    for (const auto& [begin, bytes] : pieces_) {
      const std::uint64_t first = std::max(begin, offset);
      const std::uint64_t last = std::min(begin + bytes.size(), offset + out.size());
      for (std::uint64_t i = first; i < last; ++i) {
        out[i - offset] = bytes[i - begin];
      }
    }
  }

 private:
  std::string name_ = "m.pt";
  std::map<std::uint64_t, std::vector<std::byte>> pieces_;
  std::uint64_t size_ = 0;
};

}  // namespace ptsd::test
