// SPDX-License-Identifier: Apache-2.0
#include "operation/param_names.h"

#include <optional>
#include <unordered_set>
#include <vector>

#include "checkpoint/listing.h"
#include "checkpoint/mapping.h"
#include "checkpoint/walk.h"

namespace ptsd::operation {

using pickle::NodeId;

namespace {

class GroupFinder final : public checkpoint::Visitor {
 public:
  explicit GroupFinder(const checkpoint::Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

  bool enter(std::string_view, NodeId node) override {
    if (!seen_.insert(node).second) return false;
    const auto pairs = pairs_of(checkpoint_.names(), node);
    if (!pairs) return true;
    const pickle::Graph& graph = checkpoint_.graph();
    if (const auto groups = value_at(graph, *pairs, "param_groups")) add_groups(*groups);
    return true;
  }
  void leaf(std::string_view, NodeId, bool) override {}
  bool is_value(std::string_view, NodeId node, std::optional<NodeId>& attributes) override {
    return is_listed_whole(checkpoint_, node, attributes);
  }
  void repeated_key(std::string_view, NodeId) override {}

  const std::vector<NodeId>& lists() const { return lists_; }

 private:
  void add_groups(NodeId groups) {
    const auto items = checkpoint::list_items(checkpoint_.graph(), groups);
    if (!items) return;
    for (const NodeId group : *items) {
      const auto pairs = pairs_of(checkpoint_.names(), group);
      if (!pairs) continue;
      if (const auto names = value_at(checkpoint_.graph(), *pairs, "param_names")) {
        lists_.push_back(*names);
      }
    }
  }

  const checkpoint::Checkpoint& checkpoint_;
  std::unordered_set<NodeId> seen_;
  std::vector<NodeId> lists_;
};

}  // namespace

std::uint64_t replace_param_names(
    checkpoint::Draft& draft, TextNodes& texts,
    const std::unordered_map<std::string_view, std::string>& new_names) {
  GroupFinder finder(draft.base);
  walk(draft.base.names(), draft.root, draft.base.origin(), draft.base.limits(), finder);
  pickle::Graph& graph = draft.base.graph();
  std::uint64_t replaced = 0;
  for (const NodeId list : finder.lists()) {
    std::optional<std::vector<NodeId>> items = checkpoint::list_items(graph, list);
    if (!items) continue;
    const std::uint64_t before = replaced;
    for (NodeId& item : *items) {
      if (!checkpoint::is_text(graph, item)) continue;
      const auto found = new_names.find(graph.text(item));
      if (found == new_names.end()) continue;
      item = texts.with_text(item, found->second);
      ++replaced;
    }
    if (replaced == before) continue;
    const pickle::Mutation all = {.change = pickle::Change::Append, .operands = *items};
    graph.replace_mutations(list, std::span(&all, 1));
  }
  return replaced;
}

}  // namespace ptsd::operation
