// SPDX-License-Identifier: Apache-2.0
#include "format/shard_items.h"

#include <algorithm>
#include <numeric>
#include <unordered_set>

#include "checkpoint/listing.h"
#include "checkpoint/walk.h"
#include "tensor/layout.h"

namespace ptsd::format {

using checkpoint::Checkpoint;
using checkpoint::FlatCheckpoint;
using checkpoint::FlatTensor;
using checkpoint::Pair;
using checkpoint::StorageId;
using pickle::NodeId;

namespace {

// The storages of everything that is below a value.
class StorageCollector final : public checkpoint::Visitor {
 public:
  explicit StorageCollector(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

  std::vector<StorageId> below(NodeId value) {
    seen_.clear();
    found_.clear();
    walk(checkpoint_.names(), value, checkpoint_.origin(), checkpoint_.limits(), *this);
    return std::move(found_);
  }

  bool enter(std::string_view, NodeId node) override { return seen_.insert(node).second; }
  void leaf(std::string_view, NodeId node, bool) override {
    const checkpoint::Tensors& tensors = checkpoint_.tensors();
    if (const auto id = tensors.tensor_of(node)) {
      tensors.each_storage(*id, [&](StorageId storage) { found_.push_back(storage); });
    } else if (const auto storage = tensors.storage_of(node)) {
      found_.push_back(*storage);
    }
  }
  bool is_value(std::string_view, NodeId node, std::optional<NodeId>& attributes) override {
    return is_listed_whole(checkpoint_, node, attributes);
  }
  void repeated_key(std::string_view, NodeId) override {}

 private:
  const Checkpoint& checkpoint_;
  std::unordered_set<NodeId> seen_;
  std::vector<StorageId> found_;
};

// Which storages have to stay together: disjoint sets, each known by one of its own.
class StorageSets {
 public:
  explicit StorageSets(std::size_t count) : parent_(count) {
    std::iota(parent_.begin(), parent_.end(), std::size_t{0});
  }

  std::size_t find(std::size_t storage) {
    while (parent_[storage] != storage) {
      parent_[storage] = parent_[parent_[storage]];
      storage = parent_[storage];
    }
    return storage;
  }
  void join(std::size_t a, std::size_t b) { parent_[find(b)] = find(a); }

 private:
  std::vector<std::size_t> parent_;
};

}  // namespace

std::vector<Pair> shard_entries(const Checkpoint& checkpoint, NodeId dict) {
  const auto pairs = pairs_of(checkpoint.names(), dict);
  const auto has_name = [&](const Pair& pair) {
    return checkpoint::is_text(checkpoint.graph(), pair.key);
  };
  if (!pairs || !std::ranges::all_of(*pairs, has_name)) {
    checkpoint.fail(Error::Kind::Unsupported, "only a dict of names can be written in parts");
  }
  return *pairs;
}

std::vector<ShardItem> shard_items(const Checkpoint& checkpoint, NodeId dict) {
  const checkpoint::Tensors& tensors = checkpoint.tensors();
  StorageCollector collector(checkpoint);
  StorageSets sets(tensors.storage_count());
  std::vector<bool> used(tensors.storage_count());
  std::vector<ShardItem> items;
  for (const Pair& pair : shard_entries(checkpoint, dict)) {
    ShardItem item = {.name = std::string(checkpoint.graph().text(pair.key))};
    for (const StorageId storage : collector.below(pair.value)) {
      const auto number = static_cast<std::size_t>(storage);
      used[number] = true;
      if (item.storage) sets.join(*item.storage, number);
      item.storage = number;
    }
    items.push_back(std::move(item));
  }
  std::vector<std::uint64_t> sizes(tensors.storage_count());
  for (std::size_t i = 0; i < used.size(); ++i) {
    const checkpoint::Storage& storage = tensors[StorageId{static_cast<std::uint32_t>(i)}];
    if (used[i]) sizes[sets.find(i)] += storage.count * storage.item_size();
  }
  for (ShardItem& item : items) {
    if (!item.storage) continue;
    item.storage = sets.find(*item.storage);
    item.size = sizes[*item.storage];
  }
  return items;
}

std::vector<ShardItem> shard_items(const FlatCheckpoint& flat) {
  std::vector<ShardItem> items;
  for (const FlatTensor& tensor : flat.tensors) {
    items.push_back(
        {.name = tensor.name, .size = tensor::byte_count(tensor.shape, tensor.dtype).value_or(0)});
  }
  return items;
}

}  // namespace ptsd::format
