// SPDX-License-Identifier: Apache-2.0
#include "operation/same_keys.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "checkpoint/children.h"
#include "checkpoint/nn_module.h"

namespace ptsd::operation {

using checkpoint::Child;
using checkpoint::Names;
using checkpoint::StorageId;
using checkpoint::TensorId;
using pickle::Kind;
using pickle::NodeId;

namespace {

// Nothing for what numbers its items, or names them by strings alone.
std::vector<Child> keyed_children(const Names& names, NodeId node) {
  constexpr pickle::KindSet kNumbered(Kind::List, Kind::Tuple);
  if (kNumbered.contains(names.graph().kind(node)) || is_nn_module(names, node)) return {};
  std::vector<Child> list = children_of(names, node).list;
  std::erase_if(list, [](const Child& child) { return child.label != Child::Label::Key; });
  return list;
}

class KeyComparer {
 public:
  KeyComparer(const ValueOf& a, const ValueOf& b)
      : a_(a), b_(b), names_a_(a.checkpoint.names()), names_b_(b.checkpoint.names()) {}

  bool run() const {
    const std::vector<Child> left = keyed_children(names_a_, a_.node);
    const std::vector<Child> right = keyed_children(names_b_, b_.node);
    const auto same = [this](const Child& x, const Child& y) { return same_key(x.key, y.key); };
    return std::ranges::equal(left, right, same) || same_where_spelled_alike(left, right);
  }

 private:
  bool same_key(NodeId a, NodeId b) const {
    // Those of Python 2 are text to torch.load.
    constexpr pickle::KindSet kStrings(Kind::Str, Kind::ByteStr);
    if (kStrings.contains(names_a_.graph().kind(a)) &&
        kStrings.contains(names_b_.graph().kind(b))) {
      return names_a_.graph().text(a) == names_b_.graph().text(b);
    }
    // Tensors are keys by what object they are.
    return same_structure({a_.checkpoint, a, a_.input}, {b_.checkpoint, b, b_.input},
                          {[](TensorId, TensorId) { return PayloadPairs::Verdict::Same; },
                           [](StorageId, StorageId) { return true; }});
  }

  bool same_where_spelled_alike(const std::vector<Child>& left,
                                const std::vector<Child>& right) const {
    std::unordered_map<std::string, NodeId> spelled;
    for (const Child& child : right) {
      std::string segment;
      append_segment(segment, names_b_, child);
      spelled.emplace(std::move(segment), child.key);
    }
    return std::ranges::all_of(left, [&](const Child& child) {
      std::string segment;
      append_segment(segment, names_a_, child);
      const auto other = spelled.find(segment);
      return other == spelled.end() || same_key(child.key, other->second);
    });
  }

  const ValueOf& a_;
  const ValueOf& b_;
  const Names& names_a_;
  const Names& names_b_;
};

}  // namespace

bool same_keys(const ValueOf& a, const ValueOf& b) {
  return KeyComparer(a, b).run();
}

}  // namespace ptsd::operation
