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
  const std::span<const NodeId> old = graph.items(graph.persistent_id(persistent));
  std::vector<NodeId> tuple(old.begin(), old.end());
  for (const NewStorageItem& each : items) {
    tuple[index(each.item)] = each.value;
  }
  return builder.tuple(tuple);
}

}  // namespace ptsd::checkpoint
