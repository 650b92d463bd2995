// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include "base/byte_source.h"
#include "format/storage_bytes.h"

namespace ptsd::format {

// Bytes that were put together in memory, which several storages can share.
class MemoryBytes final : public StorageBytes {
 public:
  explicit MemoryBytes(std::shared_ptr<const ByteSource> memory) : memory_(std::move(memory)) {}

  std::uint64_t size() const override { return memory_->size(); }
  std::optional<StoredRange> range() const override { return std::nullopt; }
  std::unique_ptr<ByteSource> open() const override {
    return std::make_unique<RangeSource>(*memory_, 0, memory_->size());
  }

 private:
  std::shared_ptr<const ByteSource> memory_;
};

}  // namespace ptsd::format
