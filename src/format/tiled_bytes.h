// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "format/storage_bytes.h"
#include "format/tiling.h"

namespace ptsd::format {

// Opens the elements of a tile, in row-major order. What it gives is read from several threads.
using OpenTile = std::function<std::unique_ptr<ByteSource>(std::size_t tile)>;

// A row-major tensor that is put together of its tiles as it is read. A tile is opened when the
// first of its elements are asked for, once for every source that open() gives. Memory does not
// grow with the payload.
class TiledBytes final : public StorageBytes {
 public:
  // `name` is what errors call the tensor's file; elements are of `item_size` bytes, and those of
  // all tiles fit 64 bits.
  TiledBytes(std::string name, std::uint64_t item_size, Tiling tiling, OpenTile open)
      : name_(std::move(name)),
        item_size_(item_size),
        tiling_(std::move(tiling)),
        open_(std::move(open)) {}

  std::uint64_t size() const override { return tiling_.count() * item_size_; }
  std::optional<StoredRange> range() const override { return std::nullopt; }
  std::unique_ptr<ByteSource> open() const override;

 private:
  std::string name_;
  std::uint64_t item_size_;  // bytes
  Tiling tiling_;
  OpenTile open_;
};

}  // namespace ptsd::format
