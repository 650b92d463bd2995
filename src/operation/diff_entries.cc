// SPDX-License-Identifier: Apache-2.0
#include "operation/diff_entries.h"

#include <optional>
#include <unordered_map>

#include "checkpoint/listing.h"
#include "checkpoint/walk.h"
#include "operation/set_items.h"

namespace ptsd::operation {

using checkpoint::Checkpoint;
using pickle::Kind;
using pickle::KindSet;
using pickle::NodeId;

class DiffCollector final : public checkpoint::Visitor {
 public:
  DiffCollector(const Checkpoint& checkpoint, DiffEntries& entries)
      : checkpoint_(checkpoint), entries_(entries) {}

  bool enter(std::string_view path, NodeId node) override {
    add(path, node, DiffEntry::Kind::Container, false);
    return true;
  }

  // A container that is empty, or on its own path.
  void leaf(std::string_view path, NodeId node, bool cycle) override {
    constexpr KindSet kContainers(Kind::Dict, Kind::List, Kind::Tuple);
    const auto tensor = checkpoint_.tensors().tensor_of(node);
    const bool container = cycle || kContainers.contains(checkpoint_.graph().kind(node));
    if (tensor) {
      add(path, node, DiffEntry::Kind::Tensor);
    } else {
      add(path, node, container ? DiffEntry::Kind::Container : DiffEntry::Kind::Value);
    }
  }

  bool is_value(std::string_view, NodeId node, std::optional<NodeId>& attributes) override {
    return is_listed_whole(checkpoint_, node, attributes) || is_plain_set(node);
  }

  void repeated_key(std::string_view, NodeId) override {}

 private:
  // Looked at once, whatever the number of paths that lead there.
  bool is_plain_set(NodeId node) {
    if (!is_set(checkpoint_.names(), node)) return false;
    const auto [plain, is_first] = sets_.try_emplace(node);
    if (is_first) plain->second = set_items(checkpoint_.names(), node).has_value();
    return plain->second;
  }

  void add(std::string_view path, NodeId node, DiffEntry::Kind kind, bool is_leaf = true) {
    const std::span<char> kept = entries_.text_.store(path);
    DiffEntry entry = {
        .path = {kept.data(), kept.size()},
        .node = node,
        .kind = kind,
        .is_leaf = is_leaf,
    };
    if (const auto tensor = checkpoint_.tensors().tensor_of(node)) entry.tensor = *tensor;
    entries_.entries_.push_back(entry);
  }

  const Checkpoint& checkpoint_;
  DiffEntries& entries_;
  std::unordered_map<NodeId, bool> sets_;
};

DiffEntries::DiffEntries(const Checkpoint& checkpoint, NodeId root) {
  DiffCollector collector(checkpoint, *this);
  check_walk(checkpoint.names(), root, checkpoint.origin(), checkpoint.limits(), collector);
  walk(checkpoint.names(), root, checkpoint.origin(), checkpoint.limits(), collector);
}

}  // namespace ptsd::operation
