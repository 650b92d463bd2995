// SPDX-License-Identifier: Apache-2.0
#include "operation/drop.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "base/nearest.h"
#include "base/quote.h"
#include "checkpoint/children.h"
#include "checkpoint/listing.h"
#include "checkpoint/mapping.h"
#include "checkpoint/nn_module.h"
#include "checkpoint/walk.h"

namespace ptsd::operation {

using checkpoint::Checkpoint;
using checkpoint::Child;
using checkpoint::Pair;
using pickle::Kind;
using pickle::NodeId;

namespace {

struct Match {
  NodeId parent;
  std::string path;
  std::size_t segment;  // where the last segment begins
};

// What the patterns match, and the container it lies in. Nothing in a match is looked at.
class Finder final : public checkpoint::Visitor {
 public:
  Finder(const Checkpoint& checkpoint, const std::vector<Pattern>& patterns)
      : checkpoint_(checkpoint), patterns_(patterns), met_(patterns.size()) {}

  bool enter(std::string_view path, NodeId node) override {
    if (matches(path)) return false;
    parents_.push_back({std::string(path), node});
    return true;
  }
  void leaf(std::string_view path, NodeId, bool) override { matches(path); }
  bool is_value(std::string_view, NodeId node, std::optional<NodeId>& attributes) override {
    return is_listed_whole(checkpoint_, node, attributes);
  }
  void repeated_key(std::string_view, NodeId) override {}

  const std::vector<Match>& found() const { return found_; }
  const std::vector<bool>& met() const { return met_; }
  std::vector<std::string> seen() const { return {seen_.begin(), seen_.end()}; }

 private:
  static bool is_below(std::string_view path, std::string_view parent) {
    return parent.empty() || (path.size() > parent.size() && path.starts_with(parent) &&
                              (path[parent.size()] == '/' || path[parent.size()] == '.'));
  }

  bool matches(std::string_view path) {
    while (!parents_.empty() && !is_below(path, parents_.back().first)) {
      parents_.pop_back();
    }
    if (path.empty()) return false;
    constexpr std::size_t kMostSeen = 10'000;  // for the hint of an error
    if (seen_.size() < kMostSeen) seen_.emplace(path);
    bool any = false;
    for (std::size_t i = 0; i < patterns_.size(); ++i) {
      if (!patterns_[i].matches(path)) continue;
      met_[i] = true;
      any = true;
    }
    if (any) {
      const auto& [parent, node] = parents_.back();
      found_.push_back({node, std::string(path), parent.empty() ? 0 : parent.size() + 1});
    }
    return any;
  }

  const Checkpoint& checkpoint_;
  const std::vector<Pattern>& patterns_;
  std::vector<bool> met_;
  std::vector<std::pair<std::string, NodeId>> parents_;
  std::unordered_set<std::string> seen_;
  std::vector<Match> found_;
};

// Takes entries out of one container.
class Remover {
 public:
  Remover(checkpoint::Draft& draft, NodeId parent)
      : base_(draft.base), graph_(draft.base.graph()), parent_(parent) {}

  void remove(const std::vector<const Match*>& matches) {
    const bool module = is_nn_module(base_.names(), parent_);
    std::unordered_map<std::string, Child> children;
    for (const Child& child : children_of(base_.names(), parent_).list) {
      std::string segment;
      append_segment(segment, base_.names(), child);
      children.emplace(std::move(segment), child);
    }
    std::unordered_set<std::uint32_t> indices;
    std::unordered_set<NodeId> items;
    std::unordered_set<NodeId> attributes;
    const bool has_items = pairs_of(base_.names(), parent_).has_value();
    for (const Match* match : matches) {
      const auto found = children.find(match->path.substr(match->segment));
      if (module || found == children.end()) fail(*match, "a part of a pickled module");
      const Child& child = found->second;
      const bool plain = child.part == Child::Part::Plain;
      if (child.label == Child::Label::Key && (plain || child.part == Child::Part::State)) {
        (plain && has_items ? items : attributes).insert(child.key);
      } else if (plain && graph_.kind(parent_) == Kind::List) {
        indices.insert(child.index);
      } else {
        fail(*match, "neither an entry of a dict nor an item of a list");
      }
    }
    if (!indices.empty()) remove_items(indices);
    if (!items.empty()) remove_from(parent_, keys_of(items));
    if (!attributes.empty()) remove_attributes(keys_of(attributes));
  }

 private:
  [[noreturn]] void fail(const Match& match, std::string_view what) const {
    base_.fail(Error::Kind::Usage, fmt::format("--drop: {} is {}, and cannot be dropped alone",
                                               quote(match.path), what));
  }

  void remove_items(const std::unordered_set<std::uint32_t>& indices) {
    std::vector<NodeId> kept;
    const std::vector<NodeId> items = *checkpoint::list_items(graph_, parent_);
    for (std::uint32_t i = 0; i < items.size(); ++i) {
      if (!indices.contains(i)) kept.push_back(items[i]);
    }
    const pickle::Mutation all = {.change = pickle::Change::Append, .operands = kept};
    graph_.replace_mutations(parent_, std::span(&all, kept.empty() ? 0 : 1));
  }

  // Keys to go, by what makes them equal: one that stands twice in the stream goes twice.
  struct Keys {
    std::unordered_set<std::string_view> texts;
    std::unordered_set<std::int64_t> integers;
    std::unordered_set<NodeId> others;
  };

  Keys keys_of(const std::unordered_set<NodeId>& nodes) const {
    Keys keys;
    for (const NodeId node : nodes) {
      if (checkpoint::is_text(graph_, node)) {
        keys.texts.insert(graph_.text(node));
      } else if (graph_.kind(node) == Kind::Int) {
        keys.integers.insert(graph_.int_value(node));
      } else {
        keys.others.insert(node);
      }
    }
    return keys;
  }

  bool contains(const Keys& keys, NodeId node) const {
    if (checkpoint::is_text(graph_, node)) return keys.texts.contains(graph_.text(node));
    if (graph_.kind(node) == Kind::Int) return keys.integers.contains(graph_.int_value(node));
    return keys.others.contains(node);
  }

  void remove_from(NodeId mapping, const Keys& keys) {
    const std::optional<std::vector<Pair>> pairs = pairs_of(base_.names(), mapping);
    if (!pairs) return;
    std::vector<Pair> kept;
    for (const Pair& pair : *pairs) {
      if (!contains(keys, pair.key)) kept.push_back(pair);
    }
    if (kept.size() < pairs->size()) replace_pairs(graph_, base_.names(), mapping, kept);
  }

  void remove_attributes(const Keys& keys) {
    std::vector<NodeId> states;
    for (const pickle::Mutation& mutation : graph_.mutations(parent_)) {
      if (mutation.change != pickle::Change::Build) continue;
      const NodeId state = mutation.operands[0];
      states.push_back(state);
      states.insert(states.end(), graph_.items(state).begin(), graph_.items(state).end());
    }
    for (const NodeId state : states) {
      remove_from(state, keys);
    }
  }

  const Checkpoint& base_;
  pickle::Graph& graph_;
  NodeId parent_;
};

}  // namespace

Dropped drop(checkpoint::Draft& draft, const std::vector<Pattern>& patterns, bool allow_unmatched) {
  Finder finder(draft.base, patterns);
  walk(draft.base.names(), draft.root, draft.base.origin(), draft.base.limits(), finder);
  for (std::size_t i = 0; i < patterns.size() && !allow_unmatched; ++i) {
    if (finder.met()[i]) continue;
    draft.base.fail(Error::Kind::Usage,
                    fmt::format("--drop {} matches nothing{}", quote(patterns[i].text()),
                                did_you_mean(patterns[i].text(), finder.seen())));
  }
  Dropped dropped;
  std::unordered_map<NodeId, std::vector<const Match*>> by_parent;
  for (const Match& match : finder.found()) {
    dropped.paths.push_back(match.path);
    by_parent[match.parent].push_back(&match);
  }
  for (const auto& [parent, matches] : by_parent) {
    Remover(draft, parent).remove(matches);
  }
  if (!finder.found().empty()) draft.pickle_changed = true;
  return dropped;
}

}  // namespace ptsd::operation
