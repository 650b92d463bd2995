// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/nn_module.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace ptsd::checkpoint {

using pickle::Kind;
using pickle::NodeId;

namespace {

// The dict that BUILD gave an object as its state.
std::optional<NodeId> state_dict_of(const pickle::Graph& graph, NodeId node) {
  std::optional<NodeId> state;
  for (const pickle::Mutation& mutation : graph.mutations(node)) {
    if (mutation.change != pickle::Change::Build || state) return std::nullopt;
    if (graph.kind(mutation.operands[0]) != Kind::Dict) return std::nullopt;
    state = mutation.operands[0];
  }
  return state;
}

std::optional<NodeId> attribute(const pickle::Graph& graph, NodeId state, std::string_view name) {
  std::optional<NodeId> found;
  for (const pickle::Mutation& mutation : graph.mutations(state)) {
    for (std::size_t i = 0; i < mutation.operands.size(); i += 2) {
      const NodeId key = mutation.operands[i];
      const bool is_text = graph.kind(key) == Kind::Str || graph.kind(key) == Kind::ByteStr;
      if (is_text && graph.text(key) == name) found = mutation.operands[i + 1];
    }
  }
  return found;
}

bool is_none(const pickle::Graph& graph, NodeId node) {
  return graph.kind(node) == Kind::None;
}

class Parts {
 public:
  Parts(const Names& names, NodeId state) : names_(names), graph_(names.graph()), state_(state) {}

  ModuleState state() {
    std::vector<Child> left_out;
    add_entries(left_out);
    ModuleState state = {.entries = std::exchange(parts_.list, {})};
    add_all("_modules", left_out);
    state.modules = std::move(parts_.list);
    constexpr auto kHooks =
        std::to_array<std::string_view>({"_state_dict_hooks", "_state_dict_pre_hooks"});
    state.has_hooks = std::ranges::any_of(kHooks, [this](std::string_view hooks) {
      const std::optional<NodeId> found = attribute(graph_, state_, hooks);
      return found && !children_of(names_, *found).list.empty();
    });
    return state;
  }

  Children collect() {
    std::vector<Child> left_out;
    add_entries(left_out);
    add_all("_modules", left_out);
    parts_.list.insert(parts_.list.end(), left_out.begin(), left_out.end());
    const Children attributes = children_of(names_, state_);
    note(attributes);
    for (const Child& child : attributes.list) {
      if (!is_registry(name(child))) parts_.list.push_back(child);
    }
    number_clashes();
    return std::move(parts_);
  }

 private:
  static bool is_registry(std::string_view name) {
    return name == "_parameters" || name == "_buffers" || name == "_modules" ||
           name == "_non_persistent_buffers_set";
  }

  std::string_view name(const Child& child) const {
    const bool text = child.label == Child::Label::Key && (graph_.kind(child.key) == Kind::Str ||
                                                           graph_.kind(child.key) == Kind::ByteStr);
    return text ? graph_.text(child.key) : "";
  }

  void read_non_persistent() {
    const std::optional<NodeId> set = attribute(graph_, state_, "_non_persistent_buffers_set");
    if (!set) return;
    const Children entries = children_of(names_, *set);
    parts_.left_out += entries.left_out + entries.list.size();
    for (const Child& child : entries.list) {
      if (graph_.kind(child.value) == Kind::Str || graph_.kind(child.value) == Kind::ByteStr) {
        non_persistent_.insert(graph_.text(child.value));
      }
    }
  }

  void note(const Children& entries) {
    if (entries.repeated_key) parts_.repeated_key = entries.repeated_key;
    parts_.left_out += entries.left_out;
  }

  void add_entries(std::vector<Child>& left_out) {
    read_non_persistent();
    add_all("_parameters", left_out);
    add(
        "_buffers", [this](const Child& child) { return !non_persistent_.contains(name(child)); },
        left_out);
  }

  void add_all(std::string_view registry, std::vector<Child>& left_out) {
    add(
        registry, [](const Child&) { return true; }, left_out);
  }

  template <class Keep>
  void add(std::string_view registry, Keep keep, std::vector<Child>& left_out) {
    const Children entries = children_of(names_, *attribute(graph_, state_, registry));
    note(entries);
    for (const Child& child : entries.list) {
      if (is_none(graph_, child.value)) {  // registered, but not there
        ++parts_.left_out;
        continue;
      }
      (keep(child) ? parts_.list : left_out).push_back(child);
    }
  }

  // Python keeps the names of a module apart; a forged file may not.
  void number_clashes() {
    std::unordered_set<std::string> taken;
    for (Child& child : parts_.list) {
      std::string segment;
      append_segment(segment, names_, child);
      if (taken.insert(std::move(segment)).second) continue;
      child.numbered = true;
      child.index = static_cast<std::uint32_t>(&child - parts_.list.data());
    }
  }

  const Names& names_;
  const pickle::Graph& graph_;
  NodeId state_;
  Children parts_;
  std::unordered_set<std::string_view> non_persistent_;
};

}  // namespace

bool is_nn_module(const Names& names, NodeId node) {
  const pickle::Graph& graph = names.graph();
  if (!pickle::kObjects.contains(graph.kind(node)) || graph.mutations(node).empty()) return false;
  const std::optional<NodeId> state = state_dict_of(graph, node);
  return state && attribute(graph, *state, "_parameters") && attribute(graph, *state, "_buffers") &&
         attribute(graph, *state, "_modules");
}

Children nn_module_parts(const Names& names, NodeId node) {
  return Parts(names, *state_dict_of(names.graph(), node)).collect();
}

ModuleState nn_module_state(const Names& names, NodeId node) {
  return Parts(names, *state_dict_of(names.graph(), node)).state();
}

}  // namespace ptsd::checkpoint
