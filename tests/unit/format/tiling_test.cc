// SPDX-License-Identifier: Apache-2.0
#include "format/tiling.h"

#include <cstddef>

#include <doctest/doctest.h>

#include "format/tiled_bytes.h"

namespace ptsd::format {
namespace {

using Ints = std::vector<std::int64_t>;
using Bytes8 = std::vector<std::uint8_t>;

std::string fault(const Ints& shape, const std::vector<Tile>& tiles) {
  return Tiling::find_fault(shape, tiles).value_or("");
}

TEST_CASE("tiles that make up a tensor have no fault") {
  CHECK(fault({}, {Tile{}}) == "");
  CHECK(fault({0, 3}, {}) == "");
  CHECK(fault(
            {
                4
  },
            {{{2}, {2}}, {{0}, {2}}, {{4}, {0}}}) == "");
  CHECK(fault(
            {
                2, 4
  },
            {{{0, 0}, {2, 1}}, {{0, 1}, {1, 3}}, {{1, 1}, {1, 3}}}) == "");
}

TEST_CASE("tiles that lead out, overlap or leave a hole are told") {
  CHECK(fault(
            {
                4
  },
            {{{2}, {3}}}) == "the chunk at [2] of sizes [3] lies outside of the shape [4]");
  CHECK(fault(
            {
                4
  },
            {{{5}, {0}}}) == "the chunk at [5] of sizes [0] lies outside of the shape [4]");
  CHECK(fault(
            {
                4
  },
            {{{0, 0}, {4, 1}}}) ==
        "the chunk at [0, 0] of sizes [4, 1] lies outside of the shape [4]");
  CHECK(fault(
            {
                2, 4
  },
            {{{0, 0}, {2, 2}}, {{1, 1}, {1, 3}}}) ==
        "the chunk at [1, 1] of sizes [1, 3] overlaps the one at [0, 0] of sizes [2, 2]");
  CHECK(fault(
            {
                4
  },
            {{{0}, {1}}, {{2}, {2}}}) == "the chunks hold 3 of 4 elements");
  CHECK(fault({}, {Tile{}, Tile{}}) == "2 chunks of one element");
  CHECK(fault({}, {}) == "the chunks hold 0 of 1 elements");
  CHECK(fault({std::int64_t{1} << 40, std::int64_t{1} << 40}, {}) == "more than 2^64 elements");
}

// A tensor of bytes that count up, cut at these places of each dimension.
struct Cut {
  Ints shape;
  std::vector<Tile> tiles;
  std::vector<Bytes8> parts;  // elements of the tiles

  Cut(const Ints& cuts0, const Ints& cuts1, std::int64_t depth)
      : shape{cuts0.back(), cuts1.back(), depth} {
    for (std::size_t i = 1; i < cuts0.size(); ++i) {
      for (std::size_t j = 1; j < cuts1.size(); ++j) {
        tiles.push_back({
            {cuts0[i - 1],            cuts1[j - 1],            0    },
            {cuts0[i] - cuts0[i - 1], cuts1[j] - cuts1[j - 1], depth}
        });
        parts.push_back(elements(tiles.back()));
      }
    }
  }

  Bytes8 elements(const Tile& tile) const {
    Bytes8 all;
    for (std::int64_t i = 0; i < tile.sizes[0]; ++i) {
      for (std::int64_t j = 0; j < tile.sizes[1]; ++j) {
        for (std::int64_t k = 0; k < tile.sizes[2]; ++k) {
          all.push_back(static_cast<std::uint8_t>(
              ((tile.offsets[0] + i) * shape[1] + tile.offsets[1] + j) * shape[2] + k));
        }
      }
    }
    return all;
  }
};

TEST_CASE("any range of a tensor is put together of its tiles") {
  const Cut cut({0, 2, 3, 3, 5}, {0, 1, 4}, 6);
  REQUIRE(Tiling::find_fault(cut.shape, cut.tiles) == std::nullopt);
  std::size_t opened = 0;
  constexpr std::uint64_t kItem = 2;  // so that a range can cut elements: 60 of them
  Ints shape = cut.shape;
  std::vector<Tile> tiles = cut.tiles;
  shape[2] /= 2;
  for (Tile& tile : tiles) {
    tile.sizes[2] /= 2;
  }
  const TiledBytes bytes("t", kItem, Tiling(shape, tiles), [&](std::size_t tile) {
    ++opened;
    std::vector<std::byte> part;
    for (const std::uint8_t value : cut.parts[tile]) {
      part.push_back(std::byte{value});
    }
    return std::make_unique<MemorySource>("part", std::move(part));
  });
  const auto source = bytes.open();
  CHECK(opened == 0);
  CHECK(!bytes.range());
  REQUIRE(source->size() == 120);
  for (std::uint64_t begin = 0; begin <= 120; ++begin) {
    for (std::uint64_t end = begin; end <= 120; ++end) {
      const std::vector<std::byte> read = source->read(begin, end - begin);
      for (std::uint64_t i = begin; i < end; ++i) {
        REQUIRE(read[i - begin] == std::byte(i));
      }
    }
  }
  CHECK(opened == 6);  // those without elements are not
}

}  // namespace
}  // namespace ptsd::format
