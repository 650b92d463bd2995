// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/names.h"

#include "pickle/import_names.h"

namespace ptsd::checkpoint {

Names::Names(const pickle::Graph& graph) : graph_(&graph) {
  known_.reserve(graph.globals().size());
  for (const pickle::GlobalName& name : graph.globals()) {
    known_.push_back(find_known(pickle::canonical(name)));
  }
}

KnownGlobal Names::look_up(pickle::NodeId node) const {
  return find_known(pickle::canonical(graph_->global(node)));
}

}  // namespace ptsd::checkpoint
