// SPDX-License-Identifier: Apache-2.0
#include "operation/retag.h"

#include <map>
#include <memory>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/nearest.h"
#include "base/quote.h"
#include "checkpoint/storage_items.h"
#include "operation/rebuild_call.h"
#include "operation/text_nodes.h"
#include "pickle/import_names.h"
#include "pickle/protocol2.h"

namespace ptsd::operation {

using checkpoint::Draft;
using checkpoint::StorageItem;
using pickle::Graph;
using pickle::Kind;
using pickle::NodeId;

namespace {

std::string dotted(pickle::GlobalName name) {
  return fmt::format("{}.{}", name.module, name.name);
}

// At the last dot: "a.b.C" is C of a.b.
pickle::GlobalName split(std::string_view text) {
  const std::size_t dot = text.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == text.size()) {
    fail_usage(fmt::format("--map-global: {} is no 'module.name'", quote(text)));
  }
  return {text.substr(0, dot), text.substr(dot + 1)};
}

}  // namespace

std::uint64_t set_location(Draft& draft, std::string_view location) {
  Graph& graph = draft.base.graph();
  pickle::Builder builder(graph, draft.protocol);
  TextNodes texts(graph);
  std::uint64_t changed = 0;
  each_storage_id(draft.base, [&](NodeId node, checkpoint::StorageId) {
    const NodeId old = storage_item(graph, node, StorageItem::Location);
    if (graph.text(old) == location) return;
    const NodeId text = texts.with_text(old, location);
    graph.replace_persistent_id(node, checkpoint::with_items(builder, node,
                                                             {
                                                                 {StorageItem::Location, text}
    }));
    ++changed;
  });
  draft.pickle_changed = draft.pickle_changed || changed > 0;
  return changed;
}

std::uint64_t set_requires_grad(Draft& draft, const std::vector<checkpoint::StateDict>& state_dicts,
                                bool value) {
  Graph& graph = draft.base.graph();
  const checkpoint::Tensors& tensors = draft.base.tensors();
  pickle::Builder builder(graph, draft.protocol);
  std::unordered_set<NodeId> seen;
  std::uint64_t changed = 0;
  for (const checkpoint::StateDict& state_dict : state_dicts) {
    for (const checkpoint::Pair& pair : entries_of(draft.base, state_dict)) {
      const auto tensor = tensors.tensor_of(pair.value);
      if (!tensor || tensors[*tensor].requires_grad == value) continue;
      if (value && !tensor::can_require_grad(tensors[*tensor].dtype)) continue;
      if (!seen.insert(pair.value).second) continue;
      std::optional<RebuildCall> call = RebuildCall::of(draft.base.names(), pair.value);
      if (!call || !call->requires_grad_index()) {
        draft.base.fail_at(pair.value, Error::Kind::Unsupported,
                           quote(graph.text(pair.key)) +
                               ": requires_grad of a tensor of this form cannot be changed");
      }
      if (value && call->function() == checkpoint::Known::RebuildTensorV3) {
        draft.base.fail_at(
            pair.value, Error::Kind::Unsupported,
            fmt::format("{}: PyTorch cannot load a {} tensor that has requires_grad",
                        quote(graph.text(pair.key)), tensor::name(tensors[*tensor].dtype)));
      }
      call->args[*call->requires_grad_index()] = builder.boolean(value);
      call->put_back(graph, builder);
      ++changed;
    }
  }
  draft.pickle_changed = draft.pickle_changed || changed > 0;
  return changed;
}

std::uint64_t map_global(Draft& draft, const std::string& from, const std::string& to) {
  Graph& graph = draft.base.graph();
  const pickle::GlobalName target = split(to);
  split(from);
  std::uint64_t changed = 0;
  std::vector<std::string> names;
  for (const pickle::GlobalName& name : graph.globals()) {
    names.push_back(dotted(name));
  }
  const std::size_t nodes = graph.size();
  for (std::size_t i = 0; i < nodes; ++i) {
    const NodeId node{static_cast<std::uint32_t>(i)};
    if (graph.kind(node) != Kind::Global) continue;
    const pickle::GlobalName name = graph.global(node);
    if (dotted(name) != from && dotted(pickle::canonical(name)) != from) continue;
    graph.replace_global(node, target);
    ++changed;
  }
  if (changed == 0) {
    draft.base.fail(Error::Kind::Usage, fmt::format("--map-global {} matches nothing{}",
                                                    quote(from), did_you_mean(from, names)));
  }
  draft.pickle_changed = true;
  return changed;
}

bool convert_to_protocol2(Draft& draft) {
  if (draft.protocol == 2) return false;
  pickle::Converted converted =
      pickle::to_protocol2(draft.graph(), draft.root, draft.protocol, draft.base.origin());
  draft.root = converted.root;
  draft.converted = std::make_shared<const Graph>(std::move(converted.graph));
  draft.protocol = 2;
  draft.pickle_changed = true;
  return true;
}

}  // namespace ptsd::operation
