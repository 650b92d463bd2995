// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "checkpoint/children.h"

// Goes through everything that can be reached from a node, by every path, in file order, and says
// the path of each: keys joined by "/", within a torch.nn.Module by ".". A container that is
// already on the path (a cycle) is reported and not entered again. The stack is the walker's own;
// depth, the number of values and the length of all paths together are bounded by Limits, since a
// few bytes of pickle can describe 10^9 paths, and one long key can stand in all of them.

namespace ptsd::checkpoint {

class Visitor {
 public:
  virtual ~Visitor() = default;
  // Whether to go into `node`, which has children.
  virtual bool enter(std::string_view path, pickle::NodeId node) = 0;
  // A node without children, or one that was not entered because it is on the path already.
  virtual void leaf(std::string_view path, pickle::NodeId node, bool cycle) = 0;
  // Whether `node` is a value of its own that is not looked into; its attributes, if it has any,
  // come after it.
  virtual bool is_value(std::string_view path, pickle::NodeId node,
                        std::optional<pickle::NodeId>& attributes) = 0;
  virtual void repeated_key(std::string_view path, pickle::NodeId key) = 0;
};

// Throws Error::Limit, placed at the node where it went too far. `met` values count as met before;
// returns how many have been met then.
std::uint64_t walk(const Names& names, pickle::NodeId root, const Where& origin,
                   const Limits& limits, Visitor& visitor, std::uint64_t met = 0);

// Throws what walk() would; of the visitor, which must enter everything, it asks is_value() alone.
// For those who keep or print each value: nothing of it can be taken back.
void check_walk(const Names& names, pickle::NodeId root, const Where& origin, const Limits& limits,
                Visitor& visitor);

}  // namespace ptsd::checkpoint
