// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "base/byte_source.h"
#include "format/storage_bytes.h"

namespace ptsd::format {

// Bytes that were put together in memory, which several storages can share: all, or a part.
class MemoryBytes final : public StorageBytes {
 public:
  explicit MemoryBytes(std::shared_ptr<const ByteSource> memory)
      : memory_(std::move(memory)), offset_(0), size_(memory_->size()) {}
  MemoryBytes(std::shared_ptr<const ByteSource> memory, std::uint64_t offset, std::uint64_t size)
      : memory_(std::move(memory)), offset_(offset), size_(size) {}

  std::uint64_t size() const override { return size_; }
  std::optional<StoredRange> range() const override { return std::nullopt; }
  std::unique_ptr<ByteSource> open() const override {
    return std::make_unique<RangeSource>(*memory_, offset_, size_);
  }

 private:
  std::shared_ptr<const ByteSource> memory_;
  std::uint64_t offset_;
  std::uint64_t size_;
};

}  // namespace ptsd::format
