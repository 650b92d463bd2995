// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/walk.h"

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/nn_module.h"
#include "checkpoint/path_budget.h"

namespace ptsd::checkpoint {

using pickle::NodeId;

namespace {

using pickle::Kind;

constexpr pickle::KindSet kLeaves(Kind::None, Kind::False, Kind::True, Kind::Int, Kind::LongBytes,
                                  Kind::LongDigits, Kind::Float, Kind::Str, Kind::ByteStr,
                                  Kind::Bytes, Kind::ByteArray, Kind::Global, Kind::Ext,
                                  Kind::PersId);

struct Frame {
  NodeId node;
  std::vector<Child> children;
  std::size_t next = 0;
  std::size_t path_size = 0;    // of the container's own path
  bool in_module = false;       // a torch.nn.Module: its parts are joined by "."
  std::size_t module_base = 0;  // where the path of the outermost module ends
};

class Walker {
 public:
  Walker(const Names& names, const Where& origin, const Limits& limits, Visitor& visitor,
         std::uint64_t met)
      : names_(names),
        origin_(origin),
        limits_(limits),
        visitor_(visitor),
        met_(met),
        spelled_(limits) {}

  std::uint64_t run(NodeId root) {
    visit(root);
    while (!frames_.empty()) {
      Frame& frame = frames_.back();
      path_.resize(frame.path_size);
      if (frame.next == frame.children.size()) {
        on_path_.erase(frame.node);
        frames_.pop_back();
        continue;
      }
      const Child child = frame.children[frame.next++];
      append(frame, child);
      visit(child.value);
    }
    return met_;
  }

 private:
  void append(const Frame& frame, const Child& child) {
    if (frame.in_module && path_.size() > frame.module_base) {
      path_ += '.';
    } else if (frames_.size() > 1 || frame.path_size > 0) {
      path_ += '/';
    }
    append_segment(path_, names_, child);
  }

  void visit(NodeId node) {
    count(node, 1);
    if (!spelled_.spend(path_.size())) fail(node, spelled_.message());
    std::optional<NodeId> attributes;
    if (visitor_.is_value(path_, node, attributes)) {
      visitor_.leaf(path_, node, false);
      if (attributes && !on_path_.contains(node)) {
        Children children = attributes_of(names_, *attributes);
        count(node, children.left_out);
        push(node, std::move(children), false);
      }
      return;
    }
    if (kLeaves.contains(names_.graph().kind(node))) return visitor_.leaf(path_, node, false);
    if (on_path_.contains(node)) return visitor_.leaf(path_, node, true);
    const bool module = is_nn_module(names_, node);
    Children children = module ? nn_module_parts(names_, node) : children_of(names_, node);
    if (children.repeated_key) visitor_.repeated_key(path_, *children.repeated_key);
    count(node, children.left_out);
    if (children.list.empty()) return visitor_.leaf(path_, node, false);
    if (visitor_.enter(path_, node)) push(node, std::move(children), module);
  }

  // A container costs what it says it holds, on each path that leads to it.
  void count(NodeId node, std::uint64_t values) {
    met_ += values;
    if (met_ > limits_.entries) {
      fail(node, fmt::format("more than {} values on all paths from the root (--limit entries=N)",
                             limits_.entries));
    }
  }

  void push(NodeId node, Children children, bool module) {
    if (children.list.empty()) return;
    if (frames_.size() >= limits_.depth) {
      fail(node, fmt::format("containers nested deeper than {} (--limit depth=N)", limits_.depth));
    }
    const bool inside = module && !frames_.empty() && frames_.back().in_module;
    Frame frame = {.node = node, .children = std::move(children.list)};
    frame.path_size = path_.size();
    frame.in_module = module;
    frame.module_base = inside ? frames_.back().module_base : path_.size();
    frames_.push_back(std::move(frame));
    on_path_.insert(node);
  }

  [[noreturn]] void fail(NodeId node, std::string message) const {
    Where where = origin_;
    where.offset = origin_.offset.value_or(0) + names_.graph().offset(node);
    throw Error(Error::Kind::Limit, where, quote(path_) + ": " + message);
  }

  const Names& names_;
  const Where& origin_;
  const Limits& limits_;
  Visitor& visitor_;
  std::vector<Frame> frames_;
  std::unordered_set<NodeId> on_path_;
  std::string path_;
  std::uint64_t met_;
  PathBudget spelled_;
};

class Checker final : public Visitor {
 public:
  explicit Checker(Visitor& visitor) : visitor_(visitor) {}

  bool enter(std::string_view, NodeId) override { return true; }
  void leaf(std::string_view, NodeId, bool) override {}
  bool is_value(std::string_view path, NodeId node, std::optional<NodeId>& attributes) override {
    return visitor_.is_value(path, node, attributes);
  }
  void repeated_key(std::string_view, NodeId) override {}

 private:
  Visitor& visitor_;
};

}  // namespace

std::uint64_t walk(const Names& names, NodeId root, const Where& origin, const Limits& limits,
                   Visitor& visitor, std::uint64_t met) {
  return Walker(names, origin, limits, visitor, met).run(root);
}

void check_walk(const Names& names, NodeId root, const Where& origin, const Limits& limits,
                Visitor& visitor) {
  Checker checker(visitor);
  walk(names, root, origin, limits, checker);
}

}  // namespace ptsd::checkpoint
