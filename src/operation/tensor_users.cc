// SPDX-License-Identifier: Apache-2.0
#include "operation/tensor_users.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/locate.h"
#include "checkpoint/mapping.h"
#include "pickle/parts.h"

namespace ptsd::operation {

using checkpoint::Checkpoint;
using checkpoint::Draft;
using checkpoint::Known;
using checkpoint::Pair;
using checkpoint::StateDict;
using checkpoint::StorageId;
using checkpoint::Tensor;
using checkpoint::TensorId;
using checkpoint::TensorKind;
using pickle::Kind;
using pickle::NodeId;

namespace {

class Finder {
 public:
  Finder(Draft& draft, bool clone)
      : draft_(draft),
        base_(draft.base),
        graph_(draft.base.graph()),
        builder_(graph_, draft.protocol),
        clone_(clone),
        references_(graph_.size()) {}

  TensorUsers find(const std::vector<StateDict>& state_dicts) {
    find_calls();
    walk();
    for (const StateDict& state_dict : state_dicts) {
      for (const Pair& pair : entries_of(base_, state_dict)) {
        if (base_.tensors().tensor_of(pair.value)) ++entries_[pair.value];
      }
    }
    std::unordered_set<NodeId> dicts;
    for (const StateDict& state_dict : state_dicts) {
      if (dicts.insert(state_dict.node).second) add(state_dict);
    }
    add_others();
    return std::move(found_);
  }

 private:
  [[noreturn]] void fail(std::string_view name, NodeId node, std::string_view what) const {
    base_.fail_at(node, Error::Kind::Unsupported, fmt::format("{}: {}", quote(name), what));
  }

  NodeId arguments_of(NodeId node, const RebuildCall& call) const {
    const NodeId args = graph_.args(node);
    // What _rebuild_from_type_v2 takes has the call inside.
    return graph_.callable(node) == call.callable ? args : graph_.items(args)[2];
  }

  // The tuples in which a storage is an argument of a tensor, and no value.
  void find_calls() {
    for (std::size_t i = 0; i < base_.tensors().count(); ++i) {
      const NodeId node = base_.tensors()[TensorId{static_cast<std::uint32_t>(i)}].node;
      const std::optional<RebuildCall> call = RebuildCall::of(base_.names(), node);
      if (call && call->is_strided()) arguments_.insert(arguments_of(node, *call));
    }
  }

  // Visits what lies below the root once, and counts how often it is referred to.
  void walk() {
    std::vector<NodeId> stack = {draft_.root};
    references_[index(draft_.root)] = 1;
    const auto refer = [&](NodeId from, NodeId to) {
      if (references_[index(to)]++ == 0) stack.push_back(to);
      if (arguments_.contains(from)) return;
      if (const auto storage = base_.tensors().storage_of(to)) found_.bare.insert(*storage);
    };
    while (!stack.empty()) {
      const NodeId node = stack.back();
      stack.pop_back();
      for (std::size_t i = 0; i < part_count(graph_, node); ++i) {
        refer(node, part(graph_, node, i));
      }
      for (const pickle::Mutation& mutation : graph_.mutations(node)) {
        for (const NodeId operand : mutation.operands) {
          refer(node, operand);
        }
      }
    }
  }

  void add(const StateDict& state_dict) {
    std::vector<Pair> pairs = entries_of(base_, state_dict);
    bool changed = false;
    for (Pair& pair : pairs) {
      const auto tensor = base_.tensors().tensor_of(pair.value);
      if (!tensor) continue;
      const NodeId mine = add_entry(graph_.text(pair.key), pair.value, *tensor);
      changed = changed || mine != pair.value;
      pair.value = mine;
    }
    if (changed) replace_pairs(graph_, base_.names(), state_dict.node, pairs);
  }

  // From the entry to the strided tensor that it is made from; empty if there is none.
  std::vector<NodeId> chain_of(NodeId node) const {
    std::vector<NodeId> chain;
    while (true) {
      const std::optional<RebuildCall> call = RebuildCall::of(base_.names(), node);
      if (!call) return {};
      chain.push_back(node);
      if (call->is_strided()) return chain;
      if (!call->is_derived()) return {};
      node = call->args[0];
    }
  }

  // The node that the entry is to be.
  NodeId add_entry(std::string_view name, NodeId node, TensorId id) {
    const Tensor& tensor = base_.tensors()[id];
    const checkpoint::TensorExtra* const extra = base_.tensors().extra(tensor);
    const bool parts = extra != nullptr && !extra->components.empty();
    const std::vector<NodeId> chain = chain_of(node);
    const bool no_data = tensor.kind == TensorKind::Subclass && chain.empty() && !parts;
    if ((tensor.storage && chain.empty()) || no_data) {
      fail(name, node, "a tensor of this form cannot be laid out anew");
    }
    if (clone_ && is_shared(node, chain)) {
      if (parts || chain.empty()) {
        if (tensor.storage || parts) fail(name, node, "a tensor of this form cannot be untied");
      } else {
        return add_clone(chain);
      }
    }
    if (!chain.empty()) add_user(chain.back());
    if (parts) add_components(name, *extra);
    return node;
  }

  void add_components(std::string_view name, const checkpoint::TensorExtra& extra) {
    for (const checkpoint::Component& part : extra.components) {
      const NodeId node = base_.tensors()[part.tensor].node;
      add_entry(name, node, part.tensor);
    }
  }

  // Whether the object has another place, which keeps it.
  bool is_shared(NodeId node, const std::vector<NodeId>& chain) {
    const auto entries = entries_.find(node);
    const std::uint32_t mine = entries == entries_.end() ? 1 : entries->second;
    const auto elsewhere = [&](NodeId each) {
      return references_[index(each)] > (each == node ? mine : 1);
    };
    if (elsewhere(node) || std::ranges::any_of(chain, elsewhere)) return true;
    return !claimed_.insert(node).second;
  }

  NodeId add_clone(const std::vector<NodeId>& chain) {
    ++found_.cloned;
    NodeId mine = clone(chain.back());
    found_.users.push_back({mine, *base_.tensors().tensor_of(chain.back()), true});
    for (std::size_t i = chain.size() - 1; i-- > 0;) {
      const NodeId inner = mine;
      mine = clone(chain[i]);
      RebuildCall call = *RebuildCall::of(base_.names(), mine);
      call.args[0] = inner;
      call.put_back(graph_, builder_);
    }
    return mine;
  }

  // With hooks of its own: an empty OrderedDict that two tensors would share is news to torch.
  NodeId clone(NodeId node) {
    const std::span<const NodeId> items = graph_.items(graph_.args(node));
    const NodeId twin = builder_.reduce(graph_.callable(node), builder_.tuple(items));
    RebuildCall call = *RebuildCall::of(base_.names(), twin);
    for (NodeId& each : call.args) {
      if (base_.names().maker(each).what != Known::OrderedDict) continue;
      each = builder_.reduce(graph_.callable(each), builder_.tuple({}));
    }
    call.put_back(graph_, builder_);
    std::vector<pickle::Mutation> mutations;
    for (const pickle::Mutation& mutation : graph_.mutations(node)) {
      mutations.push_back(mutation);
    }
    if (!mutations.empty()) graph_.replace_mutations(twin, mutations);
    return twin;
  }

  void add_user(NodeId node) {
    if (!users_.insert(node).second) return;
    found_.users.push_back({node, *base_.tensors().tensor_of(node), true});
  }

  // All that use a storage besides, so that no byte is taken from under them.
  void add_others() {
    std::unordered_set<StorageId> chosen;
    for (const User& user : found_.users) {
      chosen.insert(*base_.tensors()[user.tensor].storage);
    }
    for (std::size_t i = 0; i < base_.tensors().count(); ++i) {
      const TensorId id{static_cast<std::uint32_t>(i)};
      const Tensor& tensor = base_.tensors()[id];
      if (!tensor.storage || references_[index(tensor.node)] == 0) continue;
      if (users_.contains(tensor.node) || !chosen.contains(*tensor.storage)) continue;
      const std::optional<RebuildCall> call = RebuildCall::of(base_.names(), tensor.node);
      if (call && call->is_derived()) continue;
      if (!call || !call->is_strided()) {
        const auto path = locate(base_.names(), draft_.root, tensor.node);
        fail(path.value_or("a tensor"), tensor.node,
             "a tensor of this form cannot be laid out anew");
      }
      found_.users.push_back({tensor.node, id, false});
    }
  }

  Draft& draft_;
  const Checkpoint& base_;
  pickle::Graph& graph_;
  pickle::Builder builder_;
  bool clone_;
  std::vector<std::uint32_t> references_;  // by node, from what lies below the root
  std::unordered_set<NodeId> arguments_;
  std::unordered_map<NodeId, std::uint32_t> entries_;  // how many are this object
  std::unordered_set<NodeId> claimed_;
  std::unordered_set<NodeId> users_;
  TensorUsers found_;
};

}  // namespace

TensorUsers find_users(Draft& draft, const std::vector<StateDict>& state_dicts, bool clone) {
  return Finder(draft, clone).find(state_dicts);
}

}  // namespace ptsd::operation
