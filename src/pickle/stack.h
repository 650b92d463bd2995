// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "pickle/graph.h"

// The operand stack of the machine and its marks. Callers ask available() before they take.

namespace ptsd::pickle {

class Stack {
 public:
  std::size_t depth() const { return depth_; }
  std::size_t marks() const { return marks_.size(); }
  // Values above the topmost mark.
  std::size_t available() const { return depth_ - (marks_.empty() ? 0 : marks_.back()); }

  void push(NodeId node) {
    if (depth_ == slots_.size()) slots_.resize(2 * depth_ + kFirstSlots);
    slots_[depth_++] = node;
  }
  NodeId top() const { return slots_[depth_ - 1]; }
  // The top `count` values, bottom first; good until the next push.
  std::span<const NodeId> pop(std::size_t count) {
    depth_ -= count;
    return {slots_.data() + depth_, count};
  }

  void push_mark() { marks_.push_back(depth_); }
  void pop_mark() { marks_.pop_back(); }

 private:
  static constexpr std::size_t kFirstSlots = 64;

  std::vector<NodeId> slots_;  // the first depth_ are in use
  std::vector<std::size_t> marks_;
  std::size_t depth_ = 0;
};

}  // namespace ptsd::pickle
