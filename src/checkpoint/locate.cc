// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/locate.h"

#include <algorithm>
#include <vector>

#include "checkpoint/walk.h"

namespace ptsd::checkpoint {

using pickle::NodeId;

namespace {

class Locator final : public Visitor {
 public:
  Locator(const pickle::Graph& graph, NodeId target) : target_(target), seen_(graph.size()) {}

  bool enter(std::string_view path, NodeId node) override {
    look(path, node);
    seen_[pickle::index(node)] = true;
    return !found_;
  }
  void leaf(std::string_view path, NodeId node, bool) override { look(path, node); }
  // What was seen before is not looked into, and its children are not even counted.
  bool is_value(std::string_view path, NodeId node, std::optional<NodeId>&) override {
    spelled_ += path.size();
    return found_ || seen_[pickle::index(node)] || spelled_ > kMostSpelled;
  }
  void repeated_key(std::string_view, NodeId) override {}

  std::optional<std::string>& found() { return found_; }

 private:
  // Bytes of paths. A long key can stand in a great many of them.
  static constexpr std::uint64_t kMostSpelled = 64 << 20;

  void look(std::string_view path, NodeId node) {
    if (node == target_ && !found_) found_ = std::string(path);
  }

  NodeId target_;
  std::vector<bool> seen_;
  std::uint64_t spelled_ = 0;
  std::optional<std::string> found_;
};

// No rebuild function takes more. A longer tuple may be the arguments of any number of objects.
constexpr std::size_t kMostArguments = 8;

// Whether `node` is an argument of `object`, directly or in one more tuple.
bool takes(const pickle::Graph& graph, NodeId object, NodeId node) {
  const auto args = graph.items(graph.args(object));
  if (args.size() > kMostArguments) return false;
  return std::ranges::any_of(args, [&](NodeId arg) {
    if (arg == node) return true;
    if (graph.kind(arg) != pickle::Kind::Tuple) return false;
    const auto inner = graph.items(arg);
    return inner.size() <= kMostArguments && std::ranges::find(inner, node) != inner.end();
  });
}

bool rebuilds_tensor(Known maker) {
  return maker >= Known::RebuildTensor && maker <= Known::RebuildFromType;
}

// The outermost tensor that is rebuilt from `node`, or `node` itself. Objects come after their
// arguments in the graph.
NodeId enclosing_tensor(const Names& names, NodeId node) {
  const pickle::Graph& graph = names.graph();
  for (std::size_t i = pickle::index(node) + 1; i < graph.size(); ++i) {
    const NodeId object{static_cast<std::uint32_t>(i)};
    if (rebuilds_tensor(names.maker(object).what) && takes(graph, object, node)) node = object;
  }
  return node;
}

// Whoever goes through each object once needs no bound on the way.
constexpr Limits kUnbounded = {.depth = ~std::uint64_t{0}, .entries = ~std::uint64_t{0}};

}  // namespace

std::optional<std::string> locate(const Names& names, NodeId root, NodeId target) {
  Locator locator(names.graph(), enclosing_tensor(names, target));
  walk(names, root, {}, kUnbounded, locator);
  return locator.found();
}

}  // namespace ptsd::checkpoint
