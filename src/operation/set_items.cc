// SPDX-License-Identifier: Apache-2.0
#include "operation/set_items.h"

#include <algorithm>

#include "checkpoint/children.h"
#include "pickle/encoder.h"

namespace ptsd::operation {

using checkpoint::Known;
using pickle::Kind;

std::optional<std::vector<std::string>> set_items(const checkpoint::Names& names,
                                                  pickle::NodeId node) {
  const Kind kind = names.graph().kind(node);
  const Known maker = names.maker(node).what;
  const bool is_set = kind == Kind::Set || kind == Kind::FrozenSet || maker == Known::Set ||
                      maker == Known::FrozenSet;
  if (!is_set) return std::nullopt;
  std::vector<std::string> items;
  for (const checkpoint::Child& child : children_of(names, node).list) {
    if (child.part != checkpoint::Child::Part::Plain) return std::nullopt;
    const pickle::Encoded item = pickle::encode(names.graph(), child.value, 5);
    if (!item.persistent.empty()) return std::nullopt;
    items.emplace_back(as_text(item.bytes));
  }
  std::ranges::sort(items);
  return items;
}

}  // namespace ptsd::operation
