// SPDX-License-Identifier: Apache-2.0
#include "operation/filter.h"

#include <optional>
#include <string>
#include <unordered_map>

#include "checkpoint/mapping.h"

namespace ptsd::operation {

using checkpoint::Pair;
using checkpoint::StateDict;
using pickle::NodeId;

namespace {

using Pairs = std::vector<Pair>;

// Which modules have entries, and which have some left; by path.
class Modules {
 public:
  void add(std::string_view name, bool kept) {
    for (std::size_t dot = name.rfind('.'); dot != std::string_view::npos && dot > 0;
         dot = name.rfind('.', dot - 1)) {
      bool& left = left_.try_emplace(name.substr(0, dot), false).first->second;
      left = left || kept;
    }
  }

  // The root always stays: it stands for the state dict.
  bool stays(std::string_view module) const {
    while (!module.empty()) {
      if (const auto found = left_.find(module); found != left_.end()) return found->second;
      const std::size_t dot = module.rfind('.');
      module = module.substr(0, dot == std::string_view::npos ? 0 : dot);
    }
    return true;
  }

 private:
  std::unordered_map<std::string_view, bool> left_;
};

void prune_metadata(checkpoint::Draft& draft, NodeId state_dict, const Modules& modules,
                    Filtered& result) {
  const checkpoint::Names& names = draft.base.names();
  pickle::Graph& graph = draft.base.graph();
  const std::optional<NodeId> metadata = attribute(names, state_dict, "_metadata");
  const std::optional<Pairs> pairs = metadata ? pairs_of(names, *metadata) : std::nullopt;
  if (!pairs) return;
  Pairs kept;
  for (const Pair& pair : *pairs) {
    if (!checkpoint::is_text(graph, pair.key) || modules.stays(graph.text(pair.key))) {
      kept.push_back(pair);
    }
  }
  if (kept.size() == pairs->size()) return;
  result.modules_dropped += pairs->size() - kept.size();
  replace_pairs(graph, names, *metadata, kept);
}

void filter_one(checkpoint::Draft& draft, const StateDict& state_dict, const Keep& keep,
                Filtered& result) {
  const checkpoint::Names& names = draft.base.names();
  pickle::Graph& graph = draft.base.graph();
  Modules modules;
  Pairs kept;
  const Pairs entries = entries_of(draft.base, state_dict);
  for (const Pair& pair : entries) {
    const std::string_view name = graph.text(pair.key);
    const bool stays = keep(name, pair.value);
    modules.add(name, stays);
    if (stays) kept.push_back(pair);
  }
  result.names += entries.size();
  result.kept += kept.size();
  if (kept.size() == entries.size()) return;
  prune_metadata(draft, state_dict.node, modules, result);
  replace_pairs(graph, names, state_dict.node, kept);
}

}  // namespace

Filtered filter(checkpoint::Draft& draft, const std::vector<StateDict>& state_dicts,
                const Keep& keep) {
  Filtered result;
  for (const StateDict& state_dict : state_dicts) {
    filter_one(draft, state_dict, keep, result);
  }
  draft.pickle_changed = draft.pickle_changed || result.anything();
  return result;
}

}  // namespace ptsd::operation
