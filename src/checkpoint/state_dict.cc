// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/state_dict.h"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "base/nearest.h"
#include "base/quote.h"
#include "checkpoint/listing.h"
#include "checkpoint/walk.h"

namespace ptsd::checkpoint {

using pickle::Kind;
using pickle::NodeId;

namespace {

// Where training scripts put the weights, the likeliest first.
constexpr auto kUsualNames = std::to_array<std::string_view>(
    {"state_dict", "model_state_dict", "model", "module", "net", "params"});

bool has_integer_key(const Checkpoint& checkpoint, NodeId node) {
  const std::optional<std::vector<Pair>> pairs = pairs_of(checkpoint.names(), node);
  return pairs && std::ranges::any_of(*pairs, [&](const Pair& pair) {
           return checkpoint.graph().kind(pair.key) == Kind::Int;
         });
}

class Finder final : public Visitor {
 public:
  explicit Finder(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

  bool enter(std::string_view path, NodeId node) override {
    if (!seen_.insert(node).second) return false;
    if (is_state_dict(checkpoint_, node)) found_.push_back({std::string(path), node});
    return !has_integer_key(checkpoint_, node);
  }
  void leaf(std::string_view, NodeId, bool) override {}
  bool is_value(std::string_view, NodeId node, std::optional<NodeId>& attributes) override {
    return is_listed_whole(checkpoint_, node, attributes);
  }
  void repeated_key(std::string_view, NodeId) override {}

  std::vector<StateDict> take() { return std::move(found_); }

 private:
  const Checkpoint& checkpoint_;
  std::unordered_set<NodeId> seen_;
  std::vector<StateDict> found_;
};

std::string candidates(const std::vector<StateDict>& found) {
  constexpr std::size_t kMost = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(found.size(), kMost); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", quote(found[i].path));
  }
  if (found.size() > kMost) text += fmt::format(" and {} more", found.size() - kMost);
  return text;
}

[[noreturn]] void fail(const Checkpoint& checkpoint, std::string message) {
  throw Error(Error::Kind::Usage, {.file = checkpoint.origin().file}, std::move(message));
}

StateDict find_wanted(const Checkpoint& checkpoint, const std::vector<StateDict>& found,
                      const std::string& path) {
  const auto match = std::ranges::find(found, path, &StateDict::path);
  if (match != found.end()) return *match;
  std::vector<std::string> paths;
  for (const StateDict& each : found) {
    paths.push_back(each.path);
  }
  std::string hint = did_you_mean(path, paths);
  if (hint.empty() && !found.empty()) hint = "; there are: " + candidates(found);
  fail(checkpoint, fmt::format("--in: no state dict at {}{}", quote(path), hint));
}

StateDict choose_one(const Checkpoint& checkpoint, NodeId root,
                     const std::vector<StateDict>& found) {
  if (found.empty()) fail(checkpoint, "no state dict: no dict of names holds tensors");
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
  Finder finder(checkpoint);
  walk(checkpoint.names(), root, checkpoint.origin(), checkpoint.limits(), finder);
  return finder.take();
}

std::vector<StateDict> choose_state_dicts(const Checkpoint& checkpoint, NodeId root,
                                          const std::vector<std::string>& wanted) {
  const std::vector<StateDict> found = find_state_dicts(checkpoint, root);
  if (wanted.empty()) return {choose_one(checkpoint, root, found)};
  if (std::ranges::find(wanted, "*") != wanted.end()) {
    if (found.empty()) choose_one(checkpoint, root, found);
    return found;
  }
  std::vector<StateDict> chosen;
  for (const std::string& path : wanted) {
    chosen.push_back(find_wanted(checkpoint, found, path));
  }
  return chosen;
}

}  // namespace ptsd::checkpoint
