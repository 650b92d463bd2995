// SPDX-License-Identifier: Apache-2.0
#include "pickle/sharing.h"

#include <algorithm>

#include "pickle/parts.h"

namespace ptsd::pickle {

// Goes the way of the encoder: depth first, parts before mutations. A node that comes up again
// before it is made (a tuple in a list that is its item) is written a second time, inside itself;
// the list is changed on the way there, and must then be in the memo, or there would be two of it.
class Sharing::Pass {
 public:
  Pass(const Graph& graph, Sharing& sharing)
      : graph_(graph), sharing_(sharing), depths_(graph.size(), 0) {}

  void run(NodeId root) {
    sharing_.mentions_ = 1;
    enter(root);
    while (!path_.empty()) {
      step();
    }
  }

 private:
  struct Frame {
    NodeId node;
    std::uint32_t position;  // of the next part, then of the next operand of *mutation
    std::uint32_t part_count;
    bool changing;
    Graph::Mutations::Iterator mutation;
  };

  void step() {
    Frame& frame = path_.back();
    if (!frame.changing) {
      if (frame.position < frame.part_count) {
        return mention(part(graph_, frame.node, frame.position++));
      }
      begin_changing(frame);
    }
    const Graph::Mutations::Iterator end = graph_.mutations(frame.node).end();
    while (frame.mutation != end) {
      const std::span<const NodeId> operands = (*frame.mutation).operands;
      if (frame.position < operands.size()) return mention(operands[frame.position++]);
      ++frame.mutation;
      frame.position = 0;
    }
    changing_.pop_back();
    path_.pop_back();
  }

  void mention(NodeId id) {
    ++sharing_.mentions_;
    if ((sharing_.flags_[index(id)] & kSeen) == 0) return enter(id);
    share(id);
    if (depths_[index(id)] != 0) share_way_back_to(depths_[index(id)]);
  }

  void share(NodeId id) { sharing_.flags_[index(id)] |= kShared; }

  // What is changed first on the way down from the node at this depth.
  void share_way_back_to(std::uint32_t depth) {
    const auto first = std::ranges::upper_bound(changing_, depth);
    if (first != changing_.end()) share(path_[*first - 1].node);
  }

  void enter(NodeId id) {
    sharing_.flags_[index(id)] |= kSeen;
    const std::size_t count = part_count(graph_, id);
    const Graph::Mutations mutations = graph_.mutations(id);
    if (count == 0 && mutations.empty()) return;
    path_.push_back({.node = id,
                     .position = 0,
                     .part_count = static_cast<std::uint32_t>(count),
                     .changing = false,
                     .mutation = mutations.begin()});
    depths_[index(id)] = static_cast<std::uint32_t>(path_.size());
  }

  void begin_changing(Frame& frame) {
    depths_[index(frame.node)] = 0;
    frame.changing = true;
    frame.position = 0;
    changing_.push_back(static_cast<std::uint32_t>(path_.size()));
  }

  const Graph& graph_;
  Sharing& sharing_;
  std::vector<std::uint32_t> depths_;  // of nodes whose parts are not all seen yet, else 0
  std::vector<Frame> path_;
  std::vector<std::uint32_t> changing_;  // depths of the nodes on the path that are made, ascending
};

Sharing::Sharing(const Graph& graph, NodeId root) : flags_(graph.size(), 0) {
  Pass(graph, *this).run(root);
}

}  // namespace ptsd::pickle
