// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/mapping.h"

#include <utility>

namespace ptsd::checkpoint {

using pickle::Change;
using pickle::Graph;
using pickle::Kind;
using pickle::KindSet;
using pickle::Mutation;
using pickle::NodeId;

namespace {

using Pairs = std::vector<Pair>;
using NodeSpan = std::span<const NodeId>;

// Where the pairs of a mapping lie: in the node itself, in a dict it was made from, or in a list
// of pairs it was made from.
enum class Place { Node, Argument, PairList };

struct Located {
  Place place = Place::Node;
  NodeId container{};  // of the pairs
};

// The argument that holds the first items, for the classes that take one.
std::optional<NodeId> item_argument(const Names& names, NodeId node) {
  const NodeSpan args = names.graph().items(names.graph().args(node));
  switch (names.maker(node).what) {
    case Known::OrderedDict:
    case Known::Counter: return args.empty() ? std::nullopt : std::optional(args[0]);
    case Known::DefaultDict: return args.size() < 2 ? std::nullopt : std::optional(args[1]);
    default: return std::nullopt;
  }
}

bool has_items(const Graph& graph, NodeId node, Change change) {
  for (const Mutation& mutation : graph.mutations(node)) {
    if (mutation.change == change) return true;
  }
  return false;
}

std::optional<Located> locate_pairs(const Names& names, NodeId node) {
  const Graph& graph = names.graph();
  if (graph.kind(node) == Kind::Dict) return Located{Place::Node, node};
  if (!pickle::kObjects.contains(graph.kind(node))) return std::nullopt;
  const bool own = has_items(graph, node, Change::SetItems);
  if (const std::optional<NodeId> argument = item_argument(names, node)) {
    // Items from both places would have to be merged as Python does.
    if (own) return std::nullopt;
    if (graph.kind(*argument) == Kind::Dict) return Located{Place::Argument, *argument};
    if (graph.kind(*argument) == Kind::List) return Located{Place::PairList, *argument};
    return std::nullopt;
  }
  const Known maker = names.maker(node).what;
  const bool empty_dict =
      maker == Known::OrderedDict || maker == Known::Counter || maker == Known::DefaultDict;
  if (!own && !empty_dict) return std::nullopt;
  return Located{Place::Node, node};
}

std::optional<Pair> pair_of(const Graph& graph, NodeId node) {
  std::vector<NodeId> both(graph.items(node).begin(), graph.items(node).end());
  if (const auto items = list_items(graph, node)) both = *items;
  if (both.size() != 2) return std::nullopt;
  return Pair{both[0], both[1]};
}

std::optional<Pairs> pairs_in_list(const Graph& graph, NodeId list) {
  Pairs pairs;
  for (const Mutation& mutation : graph.mutations(list)) {
    for (const NodeId item : mutation.operands) {
      const std::optional<Pair> pair = pair_of(graph, item);
      if (!pair) return std::nullopt;
      pairs.push_back(*pair);
    }
  }
  return pairs;
}

// What is not an item stays, behind the items.
void replace_items(Graph& graph, NodeId node, std::span<const Pair> pairs) {
  std::vector<NodeId> operands;
  operands.reserve(2 * pairs.size());
  for (const Pair& pair : pairs) {
    operands.insert(operands.end(), {pair.key, pair.value});
  }
  std::vector<Mutation> mutations;
  if (!operands.empty()) {
    mutations.push_back({.change = Change::SetItems, .operands = operands});
  }
  for (const Mutation& mutation : graph.mutations(node)) {
    if (mutation.change != Change::SetItems) mutations.push_back(mutation);
  }
  graph.replace_mutations(node, mutations);
}

}  // namespace

std::optional<Pairs> pairs_of(const Names& names, NodeId node) {
  const std::optional<Located> located = locate_pairs(names, node);
  if (!located) return std::nullopt;
  const Graph& graph = names.graph();
  if (located->place == Place::PairList) return pairs_in_list(graph, located->container);
  Pairs pairs;
  for (const Mutation& mutation : graph.mutations(located->container)) {
    if (mutation.change != Change::SetItems) continue;
    for (std::size_t i = 0; i < mutation.operands.size(); i += 2) {
      pairs.push_back({mutation.operands[i], mutation.operands[i + 1]});
    }
  }
  return pairs;
}

void replace_pairs(Graph& graph, const Names& names, NodeId node, std::span<const Pair> pairs) {
  const Located located = locate_pairs(names, node).value();
  if (located.place == Place::PairList) {
    // Without the argument, which may be shared; items are set one by one instead.
    const NodeId no_arguments = graph.add_sequence(Kind::Tuple, {}, graph.offset(node));
    graph.replace_object(node, graph.callable(node), no_arguments);
    return replace_items(graph, node, pairs);
  }
  replace_items(graph, located.container, pairs);
}

std::optional<NodeId> value_at(const Graph& graph, std::span<const Pair> pairs,
                               std::string_view key) {
  std::optional<NodeId> found;
  for (const Pair& pair : pairs) {
    if (is_text(graph, pair.key) && graph.text(pair.key) == key) found = pair.value;
  }
  return found;
}

std::optional<std::vector<NodeId>> list_items(const Graph& graph, NodeId node) {
  if (graph.kind(node) != Kind::List) return std::nullopt;
  std::vector<NodeId> items;
  for (const Mutation& mutation : graph.mutations(node)) {
    items.insert(items.end(), mutation.operands.begin(), mutation.operands.end());
  }
  return items;
}

std::optional<NodeId> attribute(const Names& names, NodeId node, std::string_view name) {
  const Graph& graph = names.graph();
  std::optional<NodeId> found;
  for (const Mutation& mutation : graph.mutations(node)) {
    if (mutation.change != Change::Build) continue;
    NodeId state = mutation.operands[0];
    if (const NodeSpan both = graph.items(state); both.size() == 2) state = both[0];
    const std::optional<Pairs> pairs = pairs_of(names, state);
    if (!pairs) continue;
    if (const auto value = value_at(graph, *pairs, name)) found = value;
  }
  return found;
}

bool is_text(const Graph& graph, NodeId node) {
  return KindSet(Kind::Str, Kind::ByteStr).contains(graph.kind(node));
}

}  // namespace ptsd::checkpoint
