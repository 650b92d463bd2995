// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string_view>

#include "pickle/graph.h"

namespace ptsd::checkpoint {

// Tells which nodes are the same text. A node is compared once: the length of a text that the memo
// shares, times its uses, would be quadratic.
class SameText {
 public:
  // Borrows the graph.
  explicit SameText(const pickle::Graph& graph) : graph_(graph) {}

  // The first node that was asked for and is this text.
  pickle::NodeId first(pickle::NodeId text) {
    const auto [found, added] = of_node_.try_emplace(text, text);
    if (added) found->second = of_text_.try_emplace(graph_.text(text), text).first->second;
    return found->second;
  }

 private:
  const pickle::Graph& graph_;
  // Trees, not hash tables, since the input chooses the keys.
  std::map<pickle::NodeId, pickle::NodeId> of_node_;
  std::map<std::string_view, pickle::NodeId> of_text_;
};

}  // namespace ptsd::checkpoint
