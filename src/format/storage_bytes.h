// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/byte_source.h"

namespace ptsd::format {

// Bytes that lie in a file as they are, and can be copied from there.
struct StoredRange {
  const ByteSource* source = nullptr;
  std::uint64_t offset = 0;               // in the source
  std::uint64_t size = 0;                 // bytes
  std::optional<std::uint32_t> crc = {};  // what their CRC-32 is said to be
};

// Where the bytes of a storage come from.
class StorageBytes {
 public:
  virtual ~StorageBytes() = default;

  virtual std::uint64_t size() const = 0;
  // Nothing for bytes that are compressed, or put together as they are read.
  virtual std::optional<StoredRange> range() const = 0;
  // The bytes, after a check of their CRC where there is one. Borrows this.
  virtual std::unique_ptr<ByteSource> open() const = 0;
  // The same without the check, which is left to the caller.
  virtual UncheckedSource open_unchecked() const { return {.source = open()}; }
};

// A part of a source, which it borrows.
class RangeBytes final : public StorageBytes {
 public:
  RangeBytes(const ByteSource& source, std::uint64_t offset, std::uint64_t size)
      : source_(source), offset_(offset), size_(size) {}

  std::uint64_t size() const override { return size_; }
  std::optional<StoredRange> range() const override {
    return StoredRange{.source = &source_, .offset = offset_, .size = size_};
  }
  std::unique_ptr<ByteSource> open() const override {
    return std::make_unique<RangeSource>(source_, offset_, size_);
  }

 private:
  const ByteSource& source_;
  std::uint64_t offset_;
  std::uint64_t size_;
};

}  // namespace ptsd::format
