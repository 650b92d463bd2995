// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/state_dict.h"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "base/nearest.h"
#include "base/quote.h"
#include "checkpoint/listing.h"
#include "checkpoint/nn_module.h"
#include "checkpoint/resolve.h"
#include "checkpoint/walk.h"

namespace ptsd::checkpoint {

using pickle::Kind;
using pickle::NodeId;

namespace {

// Where training scripts put the weights, the likeliest first.
constexpr auto kUsualNames = std::to_array<std::string_view>(
    {"state_dict", "model_state_dict", "model", "module", "net", "params"});

bool is_integer(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool has_integer_key(const Checkpoint& checkpoint, NodeId node) {
  const pickle::Graph& graph = checkpoint.graph();
  const std::optional<std::vector<Pair>> pairs = pairs_of(checkpoint.names(), node);
  return pairs && std::ranges::any_of(*pairs, [&](const Pair& pair) {
           return graph.kind(pair.key) == Kind::Int ||
                  (is_text(graph, pair.key) && is_integer(graph.text(pair.key)));
         });
}

class Finder final : public Visitor {
 public:
  explicit Finder(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

  bool enter(std::string_view path, NodeId node) override {
    if (is_below_integer(path)) {
      has_skipped_ = true;
      return false;
    }
    if (!seen_.insert(node).second) return false;
    if (is_state_dict(checkpoint_, node)) found_.push_back({std::string(path), node});
    if (!module_ && is_nn_module(checkpoint_.names(), node)) module_ = path;
    if (has_integer_key(checkpoint_, node)) numbered_.emplace(path);
    return true;
  }
  void leaf(std::string_view, NodeId, bool) override {}
  bool is_value(std::string_view, NodeId node, std::optional<NodeId>& attributes) override {
    return is_listed_whole(checkpoint_, node, attributes);
  }
  void repeated_key(std::string_view, NodeId) override {}

  std::vector<StateDict> take() { return std::move(found_); }
  // Why there may be none.
  std::string hint() const {
    if (module_) {
      const std::string prefix = module_->empty() ? "" : *module_ + "/";
      return fmt::format("; {} is a pickled module, and {} its state dict",
                         module_->empty() ? "this" : quote(*module_),
                         quote(fmt::format("{}#{}~state_dict", checkpoint_.origin().file, prefix)));
    }
    return has_skipped_ ? "; below integer keys --in PATH says which" : "";
  }

 private:
  bool is_below_integer(std::string_view path) const {
    const std::size_t slash = path.rfind('/');
    const bool is_top = slash == std::string_view::npos;
    return is_integer(is_top ? path : path.substr(slash + 1)) &&
           numbered_.contains(is_top ? std::string_view() : path.substr(0, slash));
  }

  const Checkpoint& checkpoint_;
  std::unordered_set<NodeId> seen_;
  std::set<std::string, std::less<>> numbered_;  // paths of dicts with integer keys
  std::vector<StateDict> found_;
  std::optional<std::string> module_;  // the path of the first one
  bool has_skipped_ = false;
};

Finder search(const Checkpoint& checkpoint, NodeId root) {
  Finder finder(checkpoint);
  walk(checkpoint.names(), root, checkpoint.origin(), checkpoint.limits(), finder);
  return finder;
}

std::string candidates(const std::vector<StateDict>& found) {
  constexpr std::size_t kMost = 8;
  return quote_some(paths_of(found), kMost);
}

[[noreturn]] void fail(const Checkpoint& checkpoint, std::string message) {
  throw Error(Error::Kind::Usage, {.file = checkpoint.origin().file}, std::move(message));
}

StateDict find_wanted(const Checkpoint& checkpoint, NodeId root,
                      const std::vector<StateDict>& found, const std::string& path) {
  const std::optional<NodeId> node = path.empty() ? root : resolve(checkpoint, root, path);
  if (node && is_state_dict(checkpoint, *node)) return {path, *node};
  std::string hint = did_you_mean(path, paths_of(found));
  if (hint.empty() && !found.empty()) hint = "; there are: " + candidates(found);
  fail(checkpoint, fmt::format("--in: no state dict at {}{}", quote(path), hint));
}

StateDict choose_one(const Checkpoint& checkpoint, NodeId root,
                     const std::vector<StateDict>& found) {
  if (found.front().node == root) return found.front();
  for (const std::string_view name : kUsualNames) {
    const auto match = std::ranges::find(found, name, &StateDict::path);
    if (match != found.end()) return *match;
  }
  if (found.size() == 1) return found.front();
  fail(checkpoint,
       fmt::format("{} state dicts, --in PATH says which: {}", found.size(), candidates(found)));
}

}  // namespace

std::vector<std::string> paths_of(const std::vector<StateDict>& found) {
  std::vector<std::string> paths;
  for (const StateDict& each : found) {
    paths.push_back(each.path);
  }
  return paths;
}

std::vector<Pair> entries_of(const Checkpoint& checkpoint, const StateDict& state_dict) {
  return pairs_of(checkpoint.names(), state_dict.node).value();
}

bool is_state_dict(const Checkpoint& checkpoint, NodeId node) {
  const std::optional<std::vector<Pair>> pairs = pairs_of(checkpoint.names(), node);
  if (!pairs) return false;
  const auto has_name = [&](const Pair& pair) { return is_text(checkpoint.graph(), pair.key); };
  const auto holds_tensor = [&](const Pair& pair) {
    return checkpoint.tensors().tensor_of(pair.value).has_value();
  };
  return std::ranges::any_of(*pairs, holds_tensor) && std::ranges::all_of(*pairs, has_name);
}

std::vector<StateDict> find_state_dicts(const Checkpoint& checkpoint, NodeId root) {
  return search(checkpoint, root).take();
}

std::vector<StateDict> choose_state_dicts(const Checkpoint& checkpoint, NodeId root,
                                          const std::vector<std::string>& wanted) {
  Finder finder = search(checkpoint, root);
  const std::vector<StateDict> found = finder.take();
  const bool all = std::ranges::find(wanted, "*") != wanted.end();
  if (found.empty() && (wanted.empty() || all)) {
    fail(checkpoint, "no state dict: no dict of names holds tensors" + finder.hint());
  }
  if (wanted.empty()) return {choose_one(checkpoint, root, found)};
  if (all) return found;
  std::vector<StateDict> chosen;
  for (const std::string& path : wanted) {
    chosen.push_back(find_wanted(checkpoint, root, found, path));
  }
  return chosen;
}

}  // namespace ptsd::checkpoint
