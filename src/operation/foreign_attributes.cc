// SPDX-License-Identifier: Apache-2.0
#include "operation/foreign_attributes.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "checkpoint/listing.h"
#include "checkpoint/mapping.h"

namespace ptsd::operation {

using checkpoint::Pair;
using pickle::Mutation;
using pickle::NodeId;

namespace {

bool is_foreign(const pickle::Graph& graph, const Pair& pair,
                std::span<const std::string_view> names) {
  return checkpoint::is_text(graph, pair.key) &&
         std::ranges::find(names, graph.text(pair.key)) != names.end();
}

// More than that a safetensors file is for PyTorch.
bool says_something(const checkpoint::Names& names, const Pair& pair) {
  const std::optional<std::vector<Pair>> pairs = pairs_of(names, pair.value);
  return !pairs || std::ranges::any_of(*pairs, [&](const Pair& text) {
    return !checkpoint::is_text(names.graph(), text.key) ||
           names.graph().text(text.key) != "format";
  });
}

void note(const checkpoint::Checkpoint& checkpoint, const Pair& pair, ForeignAttributes& dropped) {
  if (!says_something(checkpoint.names(), pair)) return;
  const std::string_view name = checkpoint.graph().text(pair.key);
  dropped.names.emplace_back(name);
  const checkpoint::Listing listing = list(checkpoint, pair.value, checkpoint::Want::Tensors);
  for (std::size_t i = 0; i < listing.tensors().size(); ++i) {
    dropped.tensors.push_back(fmt::format("~state/{}/{}", name, listing.tensors()[i].path));
  }
}

}  // namespace

ForeignAttributes drop_foreign_attributes(checkpoint::Draft& draft,
                                          std::span<const std::string_view> names) {
  pickle::Graph& graph = draft.base.graph();
  ForeignAttributes dropped;
  if (draft.converted) return dropped;  // from another protocol than readers build graphs in
  if (!pickle::kObjects.contains(graph.kind(draft.root))) return dropped;
  std::vector<Mutation> kept;
  bool changed = false;
  for (const Mutation& mutation : graph.mutations(draft.root)) {
    std::optional<std::vector<Pair>> pairs;
    if (mutation.change == pickle::Change::Build) {
      pairs = pairs_of(draft.base.names(), mutation.operands[0]);
    }
    if (!pairs) {
      kept.push_back(mutation);
      continue;
    }
    std::vector<Pair> own;
    for (const Pair& pair : *pairs) {
      if (!is_foreign(graph, pair, names)) {
        own.push_back(pair);
        continue;
      }
      changed = true;
      note(draft.base, pair, dropped);
    }
    if (own.size() < pairs->size() && !own.empty()) {
      replace_pairs(graph, draft.base.names(), mutation.operands[0], own);
    }
    if (!own.empty() || pairs->empty()) kept.push_back(mutation);
  }
  if (!changed) return dropped;
  graph.replace_mutations(draft.root, kept);
  draft.pickle_changed = true;
  return dropped;
}

}  // namespace ptsd::operation
