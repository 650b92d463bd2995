// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "checkpoint/names.h"

// A dict in whichever form it was pickled, as pairs that can be read and replaced: a dict, an
// OrderedDict (also with its items as an argument, as Python 2 writes it), a defaultdict, a
// Counter, an object of a subclass with items.

namespace ptsd::checkpoint {

struct Pair {
  pickle::NodeId key;
  pickle::NodeId value;

  bool operator==(const Pair&) const = default;
};

// In the order of the stream; a key that stands twice is there twice. Nothing for what is no
// mapping, or whose pairs cannot be told apart from other arguments.
std::optional<std::vector<Pair>> pairs_of(const Names& names, pickle::NodeId node);

// Makes these the pairs of a node that pairs_of() knows. Attributes stay. `graph` is the one that
// `names` speaks of.
void replace_pairs(pickle::Graph& graph, const Names& names, pickle::NodeId node,
                   std::span<const Pair> pairs);

// The value of the last pair with this text as its key.
std::optional<pickle::NodeId> value_at(const pickle::Graph& graph, std::span<const Pair> pairs,
                                       std::string_view key);

// The items of a list, in order; nothing for another kind.
std::optional<std::vector<pickle::NodeId>> list_items(const pickle::Graph& graph,
                                                      pickle::NodeId node);

// The value of the attribute that the state of an object sets; nothing where there is none.
std::optional<pickle::NodeId> attribute(const Names& names, pickle::NodeId node,
                                        std::string_view name);

bool is_text(const pickle::Graph& graph, pickle::NodeId node);

}  // namespace ptsd::checkpoint
