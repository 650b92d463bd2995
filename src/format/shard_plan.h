// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "format/sharding.h"

// Which entries of a state dict go into which of several files, and the index that says so.

namespace ptsd::format {

struct ShardItem {
  std::string name;                           // UTF-8
  std::uint64_t size = 0;                     // bytes of its storage
  std::optional<std::uint64_t> storage = {};  // those that share one have the same number
};

struct ShardPlan {
  struct Part {
    std::string file;
    std::vector<std::size_t> items;  // numbers of items, in the order of the file
  };

  std::vector<Part> parts;       // at least one
  std::uint64_t total_size = 0;  // bytes; of what shares a storage once
};

// As huggingface_hub splits (2.4, serialization/_base.py): item by item, a new part where the next
// one would make this larger than `most` bytes, a part of its own for one that is larger; what
// shares a storage goes with the first. Files are called stem + "-00001-of-00003" + extension, and
// stem + extension if there is one.
ShardPlan split_by_size(std::span<const ShardItem> items, std::uint64_t most, std::string_view stem,
                        std::string_view extension);

// Every item stays in the file that it was in. A new one goes with what it shares its storage with,
// else to the last part. Where a part has nothing left and goes, the others get new numbers.
ShardPlan split_as_before(std::span<const ShardItem> items, const Sharding& sharding);

// "5GB", "1.5 mb", "1000": units are powers of 1000. Nothing for what is no positive size.
std::optional<std::uint64_t> parse_shard_size(std::string_view text);

// The text of an index as Python's json.dumps(indent=2) makes it; without the style, that of
// huggingface_hub. `metadata` are keys and JSON texts; "total_size" in there counts for nothing,
// and "total_parameters" only while that is as it was.
std::string shard_index_text(const ShardPlan& plan, std::span<const ShardItem> items,
                             std::span<const std::pair<std::string, std::string>> metadata,
                             const IndexStyle& style = {});

}  // namespace ptsd::format
