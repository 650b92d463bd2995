// SPDX-License-Identifier: Apache-2.0
#include "operation/same_value.h"

#include <algorithm>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "operation/same_elements.h"
#include "pickle/import_names.h"

namespace ptsd::operation {

using checkpoint::Checkpoint;
using checkpoint::Tensor;
using pickle::Change;
using pickle::Graph;
using pickle::Kind;
using pickle::KindSet;
using pickle::Mutation;
using pickle::NodeId;

namespace {

using Nodes = std::vector<NodeId>;

constexpr KindSet kTexts(Kind::Str, Kind::ByteStr, Kind::Bytes, Kind::ByteArray, Kind::LongBytes,
                         Kind::LongDigits);

// Walks two graphs side by side. A pair that was met is not looked at again: graphs are cyclic.
class Comparer {
 public:
  Comparer(const ValueOf& a, const ValueOf& b, const OpenStorage& open)
      : a_(a), b_(b), left_(a.checkpoint.graph()), right_(b.checkpoint.graph()), open_(open) {}

  bool run() {
    push(a_.node, b_.node);
    while (!open_pairs_.empty()) {
      const auto [a, b] = open_pairs_.back();
      open_pairs_.pop_back();
      if (!same(a, b)) return false;
    }
    return true;
  }

 private:
  void push(NodeId a, NodeId b) {
    if (met_.insert({a, b}).second) open_pairs_.push_back({a, b});
  }

  bool push_all(std::span<const NodeId> a, std::span<const NodeId> b) {
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i) {
      push(a[i], b[i]);
    }
    return true;
  }

  bool same(NodeId a, NodeId b) {
    const auto tensor_a = a_.checkpoint.tensors().tensor_of(a);
    const auto tensor_b = b_.checkpoint.tensors().tensor_of(b);
    if (tensor_a && tensor_b) return same_tensor(*tensor_a, *tensor_b);
    if (tensor_a || tensor_b || left_.kind(a) != right_.kind(b)) return false;
    return same_here(a, b) && same_mutations(a, b);
  }

  bool same_tensor(checkpoint::TensorId a, checkpoint::TensorId b) {
    const Tensor& left = a_.checkpoint.tensors()[a];
    const Tensor& right = b_.checkpoint.tensors()[b];
    const bool alike = left.dtype == right.dtype && left.kind == right.kind &&
                       left.conj == right.conj && left.neg == right.neg &&
                       std::ranges::equal(a_.checkpoint.tensors().shape(left),
                                          b_.checkpoint.tensors().shape(right));
    if (!alike) return false;
    if (!is_plain(left) || !is_plain(right)) return same_parts(a, b);
    return same_elements({a_.checkpoint.tensors(), left, *open_(a_.input, *left.storage)},
                         {b_.checkpoint.tensors(), right, *open_(b_.input, *right.storage)});
  }

  static bool is_plain(const Tensor& tensor) {
    return tensor.storage && (tensor.kind == checkpoint::TensorKind::Tensor ||
                              tensor.kind == checkpoint::TensorKind::Parameter);
  }

  // Of any other tensor: what it is made from.
  bool same_parts(checkpoint::TensorId a, checkpoint::TensorId b) {
    const NodeId left = a_.checkpoint.tensors()[a].node;
    const NodeId right = b_.checkpoint.tensors()[b].node;
    return left_.kind(left) == right_.kind(right) && same_here(left, right) &&
           same_mutations(left, right);
  }

  bool same_here(NodeId a, NodeId b) {
    const Kind kind = left_.kind(a);
    if (kTexts.contains(kind)) return left_.text(a) == right_.text(b);
    switch (kind) {
      case Kind::Int: return left_.int_value(a) == right_.int_value(b);
      case Kind::Float: return left_.float_bits(a) == right_.float_bits(b);
      case Kind::Tuple:
      case Kind::FrozenSet: return push_all(left_.items(a), right_.items(b));
      case Kind::Global:
        return pickle::canonical(left_.global(a)) == pickle::canonical(right_.global(b));
      case Kind::Ext: return left_.ext_code(a) == right_.ext_code(b);
      case Kind::PersId: return same_storage(a, b);
      case Kind::NewObjEx: push(left_.kwargs(a), right_.kwargs(b)); break;
      default: break;
    }
    if (!pickle::kObjects.contains(kind)) return true;
    push(left_.callable(a), right_.callable(b));
    push(left_.args(a), right_.args(b));
    return true;
  }

  // By what it holds; its key and its device are the file's.
  bool same_storage(NodeId a, NodeId b) {
    const auto left = a_.checkpoint.tensors().storage_of(a);
    const auto right = b_.checkpoint.tensors().storage_of(b);
    if (!left || !right) {
      push(left_.persistent_id(a), right_.persistent_id(b));
      return true;
    }
    const checkpoint::Storage& mine = a_.checkpoint.tensors()[*left];
    const checkpoint::Storage& other = b_.checkpoint.tensors()[*right];
    return mine.untyped == other.untyped && mine.dtype == other.dtype &&
           mine.count == other.count &&
           same_bytes(*open_(a_.input, *left), *open_(b_.input, *right));
  }

  static Nodes operands(const Graph& graph, NodeId node, Change change) {
    Nodes all;
    for (const Mutation& mutation : graph.mutations(node)) {
      if (mutation.change != change) continue;
      all.insert(all.end(), mutation.operands.begin(), mutation.operands.end());
    }
    return all;
  }

  bool same_mutations(NodeId a, NodeId b) {
    for (const Change change :
         {Change::Append, Change::SetItems, Change::AddItems, Change::Build}) {
      if (!push_all(operands(left_, a, change), operands(right_, b, change))) return false;
    }
    return true;
  }

  const ValueOf& a_;
  const ValueOf& b_;
  const Graph& left_;
  const Graph& right_;
  const OpenStorage& open_;
  std::set<std::pair<NodeId, NodeId>> met_;
  std::vector<std::pair<NodeId, NodeId>> open_pairs_;
};

}  // namespace

bool same_value(const ValueOf& a, const ValueOf& b, const OpenStorage& open) {
  return Comparer(a, b, open).run();
}

}  // namespace ptsd::operation
