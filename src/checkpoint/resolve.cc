// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/resolve.h"

#include <string>

#include "base/quote.h"
#include "checkpoint/listing.h"
#include "checkpoint/walk.h"

namespace ptsd::checkpoint {

using pickle::NodeId;

namespace {

// How a listing spells the path of an entry of the root whose key is empty.
constexpr std::string_view kEmpty = "''";

// Goes only where the path leads.
class Resolver final : public Visitor {
 public:
  // `container` is what the path must not lead to.
  Resolver(const Checkpoint& checkpoint, std::string_view path, std::optional<NodeId> container)
      : checkpoint_(checkpoint), path_(path), container_(container) {}

  bool enter(std::string_view path, NodeId node) override {
    if (node != container_) look(path, node);
    return !found_;
  }
  void leaf(std::string_view path, NodeId node, bool) override { look(path, node); }
  bool is_value(std::string_view path, NodeId node, std::optional<NodeId>& attributes) override {
    return found_ || !leads(path) || is_listed_whole(checkpoint_, node, attributes);
  }
  void repeated_key(std::string_view, NodeId) override {}

  std::optional<NodeId> found() const { return found_; }

 private:
  bool leads(std::string_view path) const {
    return path.empty() || (path_.starts_with(path) && path_.size() > path.size() &&
                            (path_[path.size()] == '/' || path_[path.size()] == '.'));
  }

  void look(std::string_view path, NodeId node) {
    if (path == path_ && !found_) found_ = node;
  }

  const Checkpoint& checkpoint_;
  std::string_view path_;
  std::optional<NodeId> container_;
  std::optional<NodeId> found_;
};

// Each container is entered at most once, and only where the path leads.
constexpr Limits kUnbounded = {.depth = ~std::uint64_t{0}, .entries = ~std::uint64_t{0}};

std::optional<NodeId> find(const Checkpoint& checkpoint, NodeId root, std::string_view path,
                           std::optional<NodeId> container = {}) {
  Resolver resolver(checkpoint, path, container);
  walk(checkpoint.names(), root, {}, kUnbounded, resolver);
  return resolver.found();
}

}  // namespace

std::optional<NodeId> resolve(const Checkpoint& checkpoint, NodeId root, std::string_view path) {
  if (const std::optional<NodeId> exact = find(checkpoint, root, path)) return exact;
  if (path == kEmpty) return find(checkpoint, root, "", root);
  const std::optional<std::string> spelled = unescape(path);
  if (!spelled || *spelled == path) return std::nullopt;
  return find(checkpoint, root, *spelled);
}

}  // namespace ptsd::checkpoint
