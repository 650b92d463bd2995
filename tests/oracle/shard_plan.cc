// SPDX-License-Identifier: Apache-2.0
#include "format/shard_plan.h"

#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>

// Plans the shards of what stdin describes, to be compared with those of huggingface_hub: a line
// with the size of the largest, one with the stem and one with the extension, and a line for each
// tensor, "bytes storage name". Writes a line for each part, "file number number ...", and the
// index.

int main() {
  using namespace ptsd::format;
  std::string most;
  std::string stem;
  std::string extension;
  std::getline(std::cin, most);
  std::getline(std::cin, stem);
  std::getline(std::cin, extension);
  std::vector<ShardItem> items;
  ShardItem item;
  std::uint64_t storage = 0;
  while (std::cin >> item.size >> storage && std::cin.get() == ' ' &&
         std::getline(std::cin, item.name)) {
    item.storage = storage;
    items.push_back(item);
  }
  const auto size = parse_shard_size(most);
  if (!size) return 1;
  const ShardPlan plan = split_by_size(items, *size, stem, extension);
  for (const ShardPlan::Part& part : plan.parts) {
    fmt::print("{} {}\n", part.file, fmt::join(part.items, " "));
  }
  fmt::print("{}", shard_index_text(plan, items, {}));
  return 0;
}
