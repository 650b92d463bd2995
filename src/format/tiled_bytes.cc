// SPDX-License-Identifier: Apache-2.0
#include "format/tiled_bytes.h"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include "checkpoint/element_source.h"

namespace ptsd::format {
namespace {

class TiledSource final : public checkpoint::ElementSource {
 public:
  TiledSource(const std::string& name, std::uint64_t item_size, const Tiling& tiling,
              const OpenTile& open)
      : ElementSource(item_size, tiling.count(),
                      std::make_unique<MemorySource>(name, std::vector<std::byte>())),
        tiling_(tiling),
        open_(open),
        tiles_(tiling.tiles().size()) {}

 private:
  struct Opened {
    std::once_flag once;
    std::unique_ptr<ByteSource> source;
  };

  void make(std::uint64_t first, std::span<std::byte> out) const override {
    const std::uint64_t end = first + out.size() / item_size();
    std::vector<std::byte> elements;
    for (std::size_t tile = 0; tile < tiles_.size(); ++tile) {
      const std::uint64_t from = tiling_.elements_before(tile, first);
      const std::uint64_t to = tiling_.elements_before(tile, end);
      if (from == to) continue;
      // They lie one behind the other in the tile, whatever is between them in the whole.
      elements.resize((to - from) * item_size());
      opened(tile).read(from * item_size(), std::span(elements));
      scatter(tile, from, to, first, elements, out);
    }
  }

  void scatter(std::size_t tile, std::uint64_t from, std::uint64_t to, std::uint64_t first,
               Bytes elements, std::span<std::byte> out) const {
    for (std::uint64_t at = from; at < to;) {
      const TileRun run = tiling_.run_at(tile, at, to);
      std::memcpy(out.data() + (run.in_whole - first) * item_size(),
                  elements.data() + (at - from) * item_size(), run.count * item_size());
      at += run.count;
    }
  }

  const ByteSource& opened(std::size_t tile) const {
    std::call_once(tiles_[tile].once, [&] { tiles_[tile].source = open_(tile); });
    return *tiles_[tile].source;
  }

  const Tiling& tiling_;
  const OpenTile& open_;
  mutable std::vector<Opened> tiles_;
};

}  // namespace

std::unique_ptr<ByteSource> TiledBytes::open() const {
  return std::make_unique<TiledSource>(name_, item_size_, tiling_, open_);
}

}  // namespace ptsd::format
