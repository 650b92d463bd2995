// SPDX-License-Identifier: Apache-2.0
#include "format/dcp_ranks.h"

#include <utility>

#include <fmt/format.h>

#include "base/quote.h"

namespace ptsd::format {
namespace {

[[noreturn]] void fail_other(const Where& where, const DcpEntry& entry) {
  throw Error(Error::Kind::Unsupported, where,
              fmt::format("{} is another thing than in an earlier rank", quote(entry.name)));
}

}  // namespace

void DcpRanks::add(std::vector<DcpEntry> entries, const Where& where) {
  for (DcpEntry& entry : entries) {
    const auto [place, added] = by_name_.try_emplace(entry.name, entries_.size());
    if (!added) {
      merge(place->second, std::move(entry), where);
      continue;
    }
    offsets_.emplace_back();
    for (const Tile& tile : entry.chunks) {
      offsets_.back().insert(tile.offsets);
    }
    entries_.push_back(std::move(entry));
  }
}

void DcpRanks::merge(std::size_t at, DcpEntry entry, const Where& where) {
  DcpEntry& first = entries_[at];
  if (first.is_tensor != entry.is_tensor || first.dtype != entry.dtype ||
      first.shape != entry.shape || first.path != entry.path) {
    fail_other(where, entry);
  }
  if (!entry.is_tensor) ++repeated_;
  for (std::size_t i = 0; i < entry.chunks.size(); ++i) {
    if (!offsets_[at].insert(entry.chunks[i].offsets).second) {
      ++repeated_;
      continue;
    }
    first.chunks.push_back(std::move(entry.chunks[i]));
    first.items.push_back(std::move(entry.items[i]));
  }
}

}  // namespace ptsd::format
