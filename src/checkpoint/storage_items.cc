// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/storage_items.h"

#include <span>
#include <vector>

namespace ptsd::checkpoint {

using pickle::NodeId;

NodeId storage_item(const pickle::Graph& graph, NodeId persistent, StorageItem item) {
  return graph.items(graph.persistent_id(persistent))[index(item)];
}

NodeId with_items(pickle::Builder& builder, NodeId persistent,
                  std::initializer_list<NewStorageItem> items) {
  const pickle::Graph& graph = builder.graph();
  const std::span<const NodeId> old =
      graph.items(graph.persistent_id(persistent)).first(kStorageItems);
  std::vector<NodeId> tuple(old.begin(), old.end());
  for (const NewStorageItem& each : items) {
    tuple[index(each.item)] = each.value;
  }
  return builder.tuple(tuple);
}

namespace {

bool names_storage(const pickle::Graph& graph, NodeId id) {
  const std::span<const NodeId> items = graph.items(id);
  constexpr pickle::KindSet kText(pickle::Kind::Str, pickle::Kind::ByteStr, pickle::Kind::Bytes);
  return items.size() >= kStorageItems && kText.contains(graph.kind(items[0])) &&
         graph.text(items[0]) == "storage";
}

}  // namespace

void set_view_items(pickle::Builder& builder, bool wanted) {
  pickle::Graph& graph = builder.graph();
  const std::size_t nodes = graph.size();
  for (std::size_t i = 0; i < nodes; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (graph.kind(node) != pickle::Kind::PersId) continue;
    const NodeId id = graph.persistent_id(node);
    const std::size_t size = kStorageItems + (wanted ? 1 : 0);
    if (!names_storage(graph, id) || graph.items(id).size() == size) continue;
    const std::span<const NodeId> old = graph.items(id).first(kStorageItems);
    std::vector<NodeId> tuple(old.begin(), old.end());
    if (wanted) tuple.push_back(builder.none());
    graph.replace_persistent_id(node, builder.tuple(tuple));
  }
}

}  // namespace ptsd::checkpoint
