// SPDX-License-Identifier: Apache-2.0
#include "operation/text_nodes.h"

namespace ptsd::operation {

using pickle::NodeId;

NodeId TextNodes::with_text(NodeId old, std::string_view text) {
  if (graph_.text(old) == text) return old;
  const auto [found, added] = made_.try_emplace({old, std::string(text)});
  if (added) {
    found->second =
        graph_.add_decoded_text(graph_.kind(old), std::string(text), graph_.offset(old));
    if (graph_.memoised(old)) graph_.set_memoised(found->second);
  }
  return found->second;
}

}  // namespace ptsd::operation
