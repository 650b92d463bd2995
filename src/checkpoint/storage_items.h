// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "checkpoint/checkpoint.h"
#include "pickle/builder.h"

// Persistent ids of storages, to be looked at and edited. There can be many of one storage, and
// each is a node of its own.

namespace ptsd::checkpoint {

// `persistent` is a PersId that names a storage, of this or another checkpoint.
pickle::NodeId storage_item(const pickle::Graph& graph, pickle::NodeId persistent,
                            StorageItem item);

struct NewStorageItem {
  StorageItem item;
  pickle::NodeId value;
};

// The tuple of `persistent` with these items in the place of its own, without the item that only
// legacy streams have. That tuple stays as it is.
pickle::NodeId with_items(pickle::Builder& builder, pickle::NodeId persistent,
                          std::initializer_list<NewStorageItem> items);

// Gives the persistent id of every storage the None at its end that it has in a legacy stream, or
// takes it away.
void set_view_items(pickle::Builder& builder, bool wanted);

// Calls `use` with every node that named a storage when the checkpoint was read, and that storage.
template <class Use>
void each_storage_id(const Checkpoint& checkpoint, const Use& use) {
  const std::size_t nodes = checkpoint.graph().size();  // `use` may add some
  for (std::size_t i = 0; i < nodes; ++i) {
    const pickle::NodeId node{static_cast<std::uint32_t>(i)};
    if (const auto storage = checkpoint.tensors().storage_of(node)) use(node, *storage);
  }
}

}  // namespace ptsd::checkpoint
