// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "pickle/graph.h"

namespace ptsd::operation {

// New texts in the place of old ones. Uses of one old object that get one text become uses of one
// new object, so that an edit and its reverse leave the sharing as it was.
class TextNodes {
 public:
  explicit TextNodes(pickle::Graph& graph) : graph_(graph) {}

  // `old` itself if it has this text; otherwise of its kind.
  pickle::NodeId with_text(pickle::NodeId old, std::string_view text);

 private:
  pickle::Graph& graph_;
  std::map<std::pair<pickle::NodeId, std::string>, pickle::NodeId> made_;
};

}  // namespace ptsd::operation
