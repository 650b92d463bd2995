// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "pickle/builder.h"
#include "pickle/graph.h"

// Copies objects from one graph into another: what is reachable from a node, with its sharing, and
// with that of everything else the same copier copies. Text is copied too, so that the graph
// copied from, and its stream, may go.
//
// Globals become those of the graph copied to, in the form and with the names of its protocol.

namespace ptsd::pickle {

class GraphCopier {
 public:
  // Borrows `from`, whose stream was of `from_protocol`, and `to`. Both may be of one graph.
  GraphCopier(const Graph& from, unsigned from_protocol, Builder& to);

  NodeId copy(NodeId id);
  // `copy`, a node of the graph copied to, stands for `id` from here on.
  void substitute(NodeId id, NodeId copy) { copies_[index(id)] = copy; }
  std::optional<NodeId> find(NodeId id) const;

 private:
  struct Frame {
    NodeId id;
    std::uint32_t position;
    std::uint32_t part_count;
  };

  bool is_copied(NodeId id) const;
  void enter(NodeId id);
  void make(NodeId id);
  NodeId make_from_parts(NodeId id);
  NodeId global(NodeId id);
  void copy_mutations(NodeId id);
  std::span<const NodeId> copies_of_parts(NodeId id);

  const Graph& from_;
  Builder& to_;
  bool renames_;
  std::vector<NodeId> copies_;  // by the index of the original
  std::vector<Frame> path_;
  std::vector<NodeId> unfilled_;  // copied, without what was put into them
  std::vector<NodeId> parts_;     // of the node at hand
};

}  // namespace ptsd::pickle
