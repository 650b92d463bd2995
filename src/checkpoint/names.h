// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "checkpoint/known_globals.h"
#include "pickle/graph.h"

namespace ptsd::checkpoint {

// What the globals of one graph mean, looked up once each. Borrows the graph.
class Names {
 public:
  explicit Names(const pickle::Graph& graph);

  const pickle::Graph& graph() const { return *graph_; }

  // Unknown for a node that is no global.
  KnownGlobal known(pickle::NodeId node) const {
    if (graph_->kind(node) != pickle::Kind::Global) return {};
    const std::uint32_t index = graph_->global_index(node);
    return index < known_.size() ? known_[index] : look_up(node);
  }

  // What an object was made by: its class, or the function that REDUCE called.
  KnownGlobal maker(pickle::NodeId node) const {
    if (!pickle::kObjects.contains(graph_->kind(node))) return {};
    return known(graph_->callable(node));
  }

 private:
  // A global that an edit added.
  KnownGlobal look_up(pickle::NodeId node) const;

  const pickle::Graph* graph_;
  std::vector<KnownGlobal> known_;
};

}  // namespace ptsd::checkpoint
