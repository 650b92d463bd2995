// SPDX-License-Identifier: Apache-2.0
#include "format/tiling.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/checked.h"

namespace ptsd::format {
namespace {

// Pairs that are looked at: a mesh of a million tiles has fewer.
constexpr std::uint64_t kMostPairs = std::uint64_t{1} << 28;

std::uint64_t unsigned_of(std::int64_t number) {
  return static_cast<std::uint64_t>(number);
}

std::string text_of(const Tile& tile) {
  return fmt::format("[{}] of sizes [{}]", fmt::join(tile.offsets, ", "),
                     fmt::join(tile.sizes, ", "));
}

bool is_inside(tensor::Dims shape, const Tile& tile) {
  if (tile.offsets.size() != shape.size() || tile.sizes.size() != shape.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (tile.offsets[i] > shape[i] || tile.sizes[i] > shape[i] - tile.offsets[i]) return false;
  }
  return true;
}

bool meet(const Tile& one, const Tile& other) {
  for (std::size_t i = 0; i < one.offsets.size(); ++i) {
    if (one.offsets[i] + one.sizes[i] <= other.offsets[i]) return false;
    if (other.offsets[i] + other.sizes[i] <= one.offsets[i]) return false;
  }
  return true;
}

// The dimension that tells most tiles apart.
std::size_t best_dimension(std::size_t dimensions, const std::vector<const Tile*>& tiles) {
  std::size_t best = 0;
  std::size_t most = 0;
  for (std::size_t i = 0; i < dimensions; ++i) {
    std::set<std::int64_t> offsets;
    for (const Tile* tile : tiles) {
      offsets.insert(tile->offsets[i]);
    }
    if (offsets.size() <= most) continue;
    most = offsets.size();
    best = i;
  }
  return best;
}

std::optional<std::string> find_overlap(std::size_t dimensions, std::vector<const Tile*> tiles) {
  if (tiles.size() < 2) return std::nullopt;
  if (dimensions == 0) return fmt::format("{} chunks of one element", tiles.size());
  const std::size_t at = best_dimension(dimensions, tiles);
  std::ranges::stable_sort(tiles, {}, [at](const Tile* tile) { return tile->offsets[at]; });
  std::uint64_t pairs = 0;
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const std::int64_t end = tiles[i]->offsets[at] + tiles[i]->sizes[at];
    for (std::size_t j = i + 1; j < tiles.size() && tiles[j]->offsets[at] < end; ++j) {
      if (++pairs > kMostPairs) {
        return fmt::format("too many overlapping ranges among {} chunks to check", tiles.size());
      }
      if (!meet(*tiles[i], *tiles[j])) continue;
      return fmt::format("the chunk at {} overlaps the one at {}", text_of(*tiles[j]),
                         text_of(*tiles[i]));
    }
  }
  return std::nullopt;
}

}  // namespace

Tiling::Tiling(std::vector<std::int64_t> shape, std::vector<Tile> tiles)
    : shape_(std::move(shape)),
      tiles_(std::move(tiles)),
      steps_(shape_.size()),
      count_(tensor::element_count(shape_).value()) {
  std::uint64_t step = 1;
  for (std::size_t i = shape_.size(); i-- > 0;) {
    steps_[i] = step;
    step *= std::max<std::uint64_t>(unsigned_of(shape_[i]), 1);
  }
}

std::optional<std::string> Tiling::find_fault(tensor::Dims shape, const std::vector<Tile>& tiles) {
  const std::optional<std::uint64_t> whole = tensor::element_count(shape);
  if (!whole) return "more than 2^64 elements";
  std::uint64_t covered = 0;
  std::vector<const Tile*> filled;
  for (const Tile& tile : tiles) {
    if (!is_inside(shape, tile)) {
      return fmt::format("the chunk at {} lies outside of the shape [{}]", text_of(tile),
                         fmt::join(shape, ", "));
    }
    const std::uint64_t count = tensor::element_count(tile.sizes).value();
    const std::optional<std::uint64_t> sum = checked_add(covered, count);
    if (!sum) return "chunks of more than 2^64 elements";
    covered = *sum;
    if (count > 0) filled.push_back(&tile);
  }
  if (auto overlap = find_overlap(shape.size(), std::move(filled))) return overlap;
  if (covered == *whole) return std::nullopt;
  return fmt::format("the chunks hold {} of {} elements", covered, *whole);
}

std::uint64_t Tiling::elements_before(std::size_t tile, std::uint64_t index) const {
  const Tile& box = tiles_[tile];
  std::uint64_t inner = tensor::element_count(box.sizes).value();
  if (index >= count_) return inner;
  std::uint64_t before = 0;
  for (std::size_t i = 0; i < shape_.size(); ++i) {
    const std::uint64_t at = index / steps_[i];
    index %= steps_[i];
    const std::uint64_t begin = unsigned_of(box.offsets[i]);
    const std::uint64_t size = unsigned_of(box.sizes[i]);
    if (at < begin) return before;
    if (at - begin >= size) return before + inner;
    inner /= size;
    before += (at - begin) * inner;
  }
  return before;
}

TileRun Tiling::run_at(std::size_t tile, std::uint64_t in_tile, std::uint64_t end) const {
  const Tile& box = tiles_[tile];
  std::uint64_t run = 1;
  bool whole = true;  // as long as the tile spans the dimensions behind
  std::uint64_t in_whole = 0;
  std::uint64_t rest = in_tile;
  for (std::size_t i = shape_.size(); i-- > 0;) {
    const std::uint64_t size = unsigned_of(box.sizes[i]);
    if (whole) run *= size;
    whole = whole && box.sizes[i] == shape_[i];
    in_whole += (unsigned_of(box.offsets[i]) + rest % size) * steps_[i];
    rest /= size;
  }
  return {in_tile, in_whole, std::min(end, in_tile / run * run + run) - in_tile};
}

}  // namespace ptsd::format
