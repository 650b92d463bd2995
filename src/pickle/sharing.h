// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "pickle/graph.h"

// Which nodes a stream has to memoise because it mentions them again: the first of the two passes
// of the encoder. What is not reachable from the root does not count.

namespace ptsd::pickle {

class Sharing {
 public:
  Sharing(const Graph& graph, NodeId root);

  bool is_reached(NodeId id) const { return (flags_[index(id)] & kSeen) != 0; }
  bool is_shared(NodeId id) const { return (flags_[index(id)] & kShared) != 0; }
  // How often any node is mentioned, the root included: the steps that writing takes, unless a
  // tuple contains itself and its items have to be written more than once.
  std::uint64_t mentions() const { return mentions_; }

 private:
  class Pass;
  enum Flag : std::uint8_t { kSeen = 1, kShared = 2 };

  std::vector<std::uint8_t> flags_;
  std::uint64_t mentions_ = 0;
};

}  // namespace ptsd::pickle
