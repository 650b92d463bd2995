// SPDX-License-Identifier: Apache-2.0
#include "operation/rename.h"

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/mapping.h"
#include "operation/param_names.h"
#include "operation/text_nodes.h"

namespace ptsd::operation {

using checkpoint::Pair;
using checkpoint::StateDict;
using pickle::NodeId;

namespace {

using Pairs = std::vector<Pair>;

std::vector<std::string> key_texts(const pickle::Graph& graph, const Pairs& pairs) {
  std::vector<std::string> texts;
  texts.reserve(pairs.size());
  for (const Pair& pair : pairs) {
    texts.emplace_back(graph.text(pair.key));
  }
  return texts;
}

class Renamer {
 public:
  Renamer(checkpoint::Draft& draft, RenameRules& rules, bool list_changes)
      : draft_(draft),
        graph_(draft.base.graph()),
        rules_(rules),
        list_changes_(list_changes),
        texts_(graph_) {}

  void rename(const StateDict& state_dict) {
    Pairs entries = entries_of(draft_.base, state_dict);
    const std::optional<NodeId> metadata =
        attribute(draft_.base.names(), state_dict.node, "_metadata");
    std::optional<Pairs> modules = metadata ? module_pairs(*metadata) : std::nullopt;
    std::vector<std::string> names = key_texts(graph_, entries);
    std::vector<std::string> paths =
        modules ? key_texts(graph_, *modules) : std::vector<std::string>();
    rules_.apply(names, paths);
    result_.names += names.size();
    refuse_clash(state_dict, entries, names);
    note_names(entries, names);
    if (const std::uint64_t changed = set_keys(entries, names); changed > 0) {
      result_.renamed += changed;
      replace_pairs(graph_, draft_.base.names(), state_dict.node, entries);
    }
    if (modules) rename_modules(*metadata, std::move(*modules), paths);
  }

  Renamed finish() {
    result_.param_names = replace_param_names(draft_, texts_, new_names_);
    draft_.pickle_changed = draft_.pickle_changed || result_.anything();
    return result_;
  }

 private:
  std::optional<Pairs> module_pairs(NodeId metadata) const {
    std::optional<Pairs> pairs = pairs_of(draft_.base.names(), metadata);
    if (!pairs) return std::nullopt;
    for (const Pair& pair : *pairs) {
      if (!checkpoint::is_text(graph_, pair.key)) return std::nullopt;
    }
    return pairs;
  }

  // A key that stands twice in the stream is one entry.
  void refuse_clash(const StateDict& state_dict, const Pairs& entries,
                    const std::vector<std::string>& names) const {
    std::unordered_map<std::string_view, std::size_t> taken;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto [found, added] = taken.try_emplace(names[i], i);
      const std::string_view first = graph_.text(entries[found->second].key);
      const std::string_view second = graph_.text(entries[i].key);
      if (added || first == second) continue;
      draft_.base.fail(Error::Kind::Conflict,
                       fmt::format("{}{} and {} would both be called {}", prefix(state_dict),
                                   quote(first), quote(second), quote(names[i])));
    }
  }

  static std::string prefix(const StateDict& state_dict) {
    return state_dict.path.empty() ? "" : fmt::format("in {}: ", quote(state_dict.path));
  }

  void note_names(const Pairs& entries, const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string_view old = graph_.text(entries[i].key);
      if (old == names[i]) continue;
      new_names_.emplace(old, names[i]);
      if (list_changes_) result_.changes.emplace_back(old, names[i]);
    }
  }

  std::uint64_t set_keys(Pairs& pairs, const std::vector<std::string>& names) {
    std::uint64_t changed = 0;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const NodeId key = texts_.with_text(pairs[i].key, names[i]);
      if (key != pairs[i].key) ++changed;
      pairs[i].key = key;
    }
    return changed;
  }

  // Where a wrapper's module disappears, what was inside takes its place: of two modules with one
  // path the later counts, and one that was renamed before one that was not.
  void rename_modules(NodeId metadata, Pairs pairs, const std::vector<std::string>& paths) {
    std::unordered_map<std::string_view, std::size_t> winners;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const auto [found, added] = winners.try_emplace(paths[i], i);
      const bool renamed = graph_.text(pairs[i].key) != paths[i];
      const bool rival_renamed = graph_.text(pairs[found->second].key) != paths[i];
      if (renamed || !rival_renamed) found->second = i;
    }
    Pairs kept;
    std::vector<std::string> kept_paths;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      const bool repeated = graph_.text(pairs[winners[paths[i]]].key) == graph_.text(pairs[i].key);
      if (winners[paths[i]] != i && !repeated) continue;
      kept.push_back(pairs[i]);
      kept_paths.push_back(paths[i]);
    }
    const std::uint64_t changed = set_keys(kept, kept_paths);
    result_.modules += changed;
    if (changed > 0) replace_pairs(graph_, draft_.base.names(), metadata, kept);
  }

  checkpoint::Draft& draft_;
  pickle::Graph& graph_;
  RenameRules& rules_;
  bool list_changes_;
  TextNodes texts_;
  std::unordered_map<std::string_view, std::string> new_names_;
  Renamed result_;
};

}  // namespace

Renamed rename(checkpoint::Draft& draft, const std::vector<StateDict>& state_dicts,
               RenameRules& rules, const RenameOptions& options) {
  Renamer renamer(draft, rules, options.list_changes);
  for (const StateDict& state_dict : state_dicts) {
    renamer.rename(state_dict);
  }
  if (!options.allow_unmatched) rules.require_matches();
  return renamer.finish();
}

}  // namespace ptsd::operation
