// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "base/byte_source.h"

namespace ptsd::checkpoint {

// Elements that are made from those of a storage as they are read: whole ones, of which a range of
// bytes that cuts some is cut out. Owns the storage, and has its name.
class ElementSource : public ByteSource {
 public:
  using ByteSource::read;
  const std::string& name() const final { return storage_->name(); }
  std::uint64_t size() const final { return count_ * item_size_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const final;

 protected:
  // `count` elements of `item_size` bytes, which fit 64 bits together.
  ElementSource(std::uint64_t item_size, std::uint64_t count, std::unique_ptr<ByteSource> storage)
      : item_size_(item_size), count_(count), storage_(std::move(storage)) {}

  std::uint64_t item_size() const { return item_size_; }
  const ByteSource& storage() const { return *storage_; }

 private:
  // Fills `out` with the elements from `first` on; all are there.
  virtual void make(std::uint64_t first, std::span<std::byte> out) const = 0;

  std::uint64_t item_size_;  // bytes
  std::uint64_t count_;
  std::unique_ptr<ByteSource> storage_;
};

}  // namespace ptsd::checkpoint
