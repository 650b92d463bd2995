// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/resolve.h"

#include "checkpoint/listing.h"
#include "checkpoint/walk.h"

namespace ptsd::checkpoint {

using pickle::NodeId;

namespace {

// Goes only where the path leads.
class Resolver final : public Visitor {
 public:
  Resolver(const Checkpoint& checkpoint, std::string_view path)
      : checkpoint_(checkpoint), path_(path) {}

  bool enter(std::string_view path, NodeId node) override {
    look(path, node);
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
  std::optional<NodeId> found_;
};

// Each container is entered at most once, and only where the path leads.
constexpr Limits kUnbounded = {.depth = ~std::uint64_t{0}, .entries = ~std::uint64_t{0}};

}  // namespace

std::optional<NodeId> resolve(const Checkpoint& checkpoint, NodeId root, std::string_view path) {
  Resolver resolver(checkpoint, path);
  walk(checkpoint.names(), root, {}, kUnbounded, resolver);
  return resolver.found();
}

}  // namespace ptsd::checkpoint
