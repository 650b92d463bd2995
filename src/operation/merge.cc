// SPDX-License-Identifier: Apache-2.0
#include "operation/merge.h"

#include <array>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/mapping.h"
#include "checkpoint/path_budget.h"
#include "checkpoint/python_repr.h"
#include "checkpoint/storage_items.h"
#include "pickle/builder.h"
#include "pickle/graph_copier.h"

namespace ptsd::operation {

using checkpoint::Checkpoint;
using checkpoint::Draft;
using checkpoint::Names;
using checkpoint::Pair;
using checkpoint::Payload;
using checkpoint::StorageItem;
using pickle::Graph;
using pickle::Kind;
using pickle::NodeId;

namespace {

using Pairs = std::vector<Pair>;

// Two dicts to be made one, and where they lie.
struct Task {
  NodeId into;
  NodeId from;
  std::string path;
  bool counts = true;  // false: in an attribute, which follows the names
};

// Where a value of the draft was read: of an earlier input.
struct Origin {
  const Checkpoint* checkpoint;
  NodeId node;
  std::size_t input;
};

class Merger {
 public:
  Merger(Draft& draft, OnConflict policy, const OpenStorage& open)
      : draft_(draft),
        graph_(draft.base.graph()),
        policy_(policy),
        open_(open),
        builder_(graph_, draft.protocol),
        spelled_(draft.base.limits()) {}

  void add(const MergeInput& input) {
    input_ = &input;
    builder_.set_origin(input.checkpoint.origin());
    pickle::GraphCopier copier(input.checkpoint.graph(), input.checkpoint.pickle().protocol,
                               builder_);
    copier_ = &copier;
    first_new_ = graph_.size();
    united_.clear();
    push({draft_.root, input.root, ""});
    while (!tasks_.empty()) {
      const Task task = std::move(tasks_.back());
      tasks_.pop_back();
      unite(task);
    }
    rename_storages();
    note_origins();
  }

  Merged finish() {
    draft_.pickle_changed = draft_.pickle_changed || added_ || result_.conflicts > 0;
    return result_;
  }

 private:
  const Graph& other() const { return input_->checkpoint.graph(); }

  [[noreturn]] void fail(const std::string& path, std::string_view what,
                         Error::Kind kind = Error::Kind::Conflict) const {
    input_->checkpoint.fail(kind,
                            fmt::format("{}: {}", path.empty() ? "the root" : quote(path), what));
  }

  // Two dicts are united once, on whatever paths they meet: those can be endless.
  void push(Task task) {
    if (!united_.emplace(task.into, task.from).second) return;
    const Limits& limits = draft_.base.limits();
    if (++met_ > limits.entries) {
      fail(task.path, fmt::format("more than {} dicts meet (--limit entries=N)", limits.entries),
           Error::Kind::Limit);
    }
    if (!spelled_.spend(task.path.size())) fail("", spelled_.message(), Error::Kind::Limit);
    tasks_.push_back(std::move(task));
  }

  void unite(const Task& task) {
    std::optional<Pairs> mine = pairs_of(draft_.base.names(), task.into);
    const std::optional<Pairs> theirs = pairs_of(input_->checkpoint.names(), task.from);
    if (!mine || !theirs) return settle_whole(task);
    std::unordered_map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < mine->size(); ++i) {
      places.insert_or_assign(spelled(draft_.base.names(), (*mine)[i].key, task), i);
    }
    const std::size_t before = mine->size();
    bool changed = false;
    for (const Pair& pair : *theirs) {
      const std::string key = spelled(input_->checkpoint.names(), pair.key, task);
      const auto [place, is_new] = places.try_emplace(key, mine->size());
      if (is_new) {
        mine->push_back(take(pair));
        continue;
      }
      changed = meet((*mine)[place->second], pair, task, key) || changed;
    }
    if (task.counts) result_.added += mine->size() - before;
    added_ = added_ || mine->size() > before;
    if (changed || mine->size() > before) {
      replace_pairs(graph_, draft_.base.names(), task.into, *mine);
    }
    unite_attribute(task, "_metadata");
    unite_attribute(task, "__metadata__");
  }

  // Only the root can be no dict: everything else was asked before.
  void settle_whole(const Task& task) const { fail(task.path, "not a dict, which alone merges"); }

  Pair take(const Pair& pair) {
    const Pair copy = {copier_->copy(pair.key), copier_->copy(pair.value)};
    note_origin(copy.value, pair.value);
    return copy;
  }

  void note_origin(NodeId copy, NodeId original) {
    origins_.insert_or_assign(copy, Origin{&input_->checkpoint, original, input_->number});
  }

  // Of all that was copied: a later input can have any of it too.
  void note_origins() {
    for (std::size_t i = 0; i < other().size(); ++i) {
      const NodeId original{static_cast<std::uint32_t>(i)};
      if (!input_->checkpoint.tensors().tensor_of(original)) continue;
      if (const auto copy = copier_->find(original)) note_origin(*copy, original);
    }
  }

  // A path that both have. Returns whether the value of the draft was replaced.
  bool meet(Pair& mine, const Pair& theirs, const Task& task, const std::string& key) {
    const std::string path = join(task.path, key);
    if (is_mapping(draft_.base.names(), mine.value) &&
        is_mapping(input_->checkpoint.names(), theirs.value)) {
      push({mine.value, theirs.value, path, task.counts});
      return false;
    }
    // What a safetensors file is for is what it becomes.
    if (key == "format" && task.path.ends_with("~state/__metadata__")) return false;
    const auto found = origins_.find(mine.value);
    const Origin origin =
        found != origins_.end() ? found->second : Origin{&draft_.base, mine.value, 0};
    if (same_value({*origin.checkpoint, origin.node, origin.input},
                   {input_->checkpoint, theirs.value, input_->number}, open_)) {
      if (task.counts) ++result_.equal;
      return false;
    }
    if (policy_ == OnConflict::Error) {
      fail(path, "has another value in an earlier input; --on-conflict says which counts");
    }
    ++result_.conflicts;
    if (policy_ == OnConflict::First) return false;
    mine.value = copier_->copy(theirs.value);
    note_origin(mine.value, theirs.value);
    return true;
  }

  bool is_mapping(const Names& names, NodeId node) const {
    return !is_tensor(names, node) && pairs_of(names, node).has_value();
  }

  bool is_tensor(const Names& names, NodeId node) const {
    const Checkpoint& checkpoint =
        &names == &draft_.base.names() ? draft_.base : input_->checkpoint;
    return checkpoint.tensors().tensor_of(node).has_value();
  }

  // The attribute goes with the dict, if that can have one: the versions of modules, the texts of
  // a safetensors header.
  void unite_attribute(const Task& task, std::string_view name) {
    const auto theirs = attribute(input_->checkpoint.names(), task.from, name);
    if (!theirs) return;
    const auto mine = attribute(draft_.base.names(), task.into, name);
    if (mine) {
      push({*mine, *theirs, join(task.path, fmt::format("~state/{}", name)), false});
    } else if (pickle::kObjects.contains(graph_.kind(task.into))) {
      added_ = true;
      const std::array<NodeId, 2> pair = {builder_.str(name), copier_->copy(*theirs)};
      const std::array<NodeId, 1> state = {builder_.dict(pair)};
      graph_.mutate(task.into, pickle::Change::Build, state);
    }
  }

  // Equal for keys that are equal, and as a path has it: text, or what Python would print.
  std::string spelled(const Names& names, NodeId key, const Task& task) const {
    const Graph& graph = names.graph();
    if (checkpoint::is_text(graph, key)) return std::string(graph.text(key));
    if (graph.kind(key) <= Kind::Float) return "\x01" + repr(names, key);
    fail(task.path, "a dict with keys that are neither text nor numbers");
  }

  static std::string join(const std::string& path, const std::string& key) {
    const std::string_view plain = key.starts_with('\x01') ? std::string_view(key).substr(1) : key;
    return path.empty() ? std::string(plain) : fmt::format("{}/{}", path, plain);
  }

  // The storages that were copied get keys that no other has; one for one, as they were.
  void rename_storages() {
    std::unordered_map<std::string, NodeId> renamed;
    const std::size_t end = graph_.size();
    for (std::size_t i = first_new_; i < end; ++i) {
      const NodeId node{static_cast<std::uint32_t>(i)};
      if (graph_.kind(node) != Kind::PersId) continue;
      const std::string old(graph_.text(storage_item(graph_, node, StorageItem::Key)));
      const auto [found, added] = renamed.try_emplace(old);
      if (added) found->second = new_key(old);
      graph_.replace_persistent_id(node,
                                   checkpoint::with_items(builder_, node,
                                                          {
                                                              {StorageItem::Key, found->second}
      }));
    }
  }

  NodeId new_key(const std::string& old) {
    const std::string key = draft_.fresh_key();
    const auto renamed = input_->checkpoint.tensors().find_storage(old);
    draft_.payloads.emplace(key, Payload{.input = input_->number, .storage = renamed.value()});
    return builder_.str(key);
  }

  Draft& draft_;
  Graph& graph_;
  OnConflict policy_;
  const OpenStorage& open_;
  pickle::Builder builder_;
  const MergeInput* input_ = nullptr;
  pickle::GraphCopier* copier_ = nullptr;
  std::size_t first_new_ = 0;  // node of the draft
  std::vector<Task> tasks_;
  std::set<std::pair<NodeId, NodeId>> united_;  // of the draft, of the input
  std::uint64_t met_ = 0;                       // dicts with dicts, in all inputs
  checkpoint::PathBudget spelled_;
  std::unordered_map<NodeId, Origin> origins_;  // of values that came from a later input
  bool added_ = false;
  Merged result_;
};

}  // namespace

Merged merge(Draft& draft, const std::vector<MergeInput>& others, OnConflict policy,
             const OpenStorage& open) {
  Merger merger(draft, policy, open);
  for (const MergeInput& input : others) {
    merger.add(input);
  }
  return merger.finish();
}

}  // namespace ptsd::operation
