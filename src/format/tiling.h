// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tensor/layout.h"

namespace ptsd::format {

// A part of a tensor, as long in each dimension as `sizes` says, from `offsets` on. In elements.
struct Tile {
  std::vector<std::int64_t> offsets;
  std::vector<std::int64_t> sizes;
};

// Elements that lie one behind the other in a tile and in the whole.
struct TileRun {
  std::uint64_t in_tile;   // index in row-major order of the tile
  std::uint64_t in_whole;  // index in row-major order of the whole
  std::uint64_t count;
};

// How tiles make up a tensor. Indices are those of elements in row-major order.
class Tiling {
 public:
  // Every number is 0 or more, every product of them fits 64 bits: see find_fault().
  Tiling(std::vector<std::int64_t> shape, std::vector<Tile> tiles);

  // Why these are no tiles of the shape: one leads out of it, two overlap, or some elements are
  // in none. Nothing if they are. Throws Error::Limit for tiles that are too many to tell.
  static std::optional<std::string> find_fault(tensor::Dims shape, const std::vector<Tile>& tiles);

  const std::vector<Tile>& tiles() const { return tiles_; }
  std::uint64_t count() const { return count_; }
  // Of the elements of a tile, how many come before this index of the whole.
  std::uint64_t elements_before(std::size_t tile, std::uint64_t index) const;
  // The run that begins at this index of a tile, and goes no further than `end`.
  TileRun run_at(std::size_t tile, std::uint64_t in_tile, std::uint64_t end) const;

 private:
  std::vector<std::int64_t> shape_;
  std::vector<Tile> tiles_;
  std::vector<std::uint64_t> steps_;  // of the whole, by dimension
  std::uint64_t count_;
};

}  // namespace ptsd::format
