// SPDX-License-Identifier: Apache-2.0
#include "operation/same_value.h"

#include <algorithm>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "checkpoint/numpy_scalar.h"
#include "checkpoint/value.h"
#include "operation/lasting_name.h"
#include "operation/numpy_elements.h"
#include "operation/same_elements.h"
#include "operation/set_items.h"

namespace ptsd::operation {

using checkpoint::StorageId;
using checkpoint::Tensor;
using checkpoint::TensorId;
using pickle::Change;
using pickle::Graph;
using pickle::Kind;
using pickle::KindSet;
using pickle::Mutation;
using pickle::NodeId;

namespace {

using Nodes = std::vector<NodeId>;
using Verdict = PayloadPairs::Verdict;

constexpr KindSet kTexts(Kind::Str, Kind::ByteStr, Kind::Bytes, Kind::ByteArray, Kind::LongBytes,
                         Kind::LongDigits);

// Walks two graphs side by side. A pair that was met is not looked at again: graphs are cyclic.
class Comparer {
 public:
  Comparer(const ValueOf& a, const ValueOf& b, const PayloadPairs& payloads)
      : a_(a),
        b_(b),
        left_(a.checkpoint.graph()),
        right_(b.checkpoint.graph()),
        payloads_(payloads) {}

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
    if (tensor_a.has_value() != tensor_b.has_value()) return false;
    if (tensor_a) {
      const Verdict verdict = payloads_.tensors(*tensor_a, *tensor_b);
      if (verdict != Verdict::ByParts) return verdict == Verdict::Same;
    }
    if (const auto same = same_in_any_form(a, b)) return *same;
    if (const auto same = same_numpy(a, b)) return *same;
    return left_.kind(a) == right_.kind(b) && same_here(a, b) && same_mutations(a, b);
  }

  // Sets and bytes, which each protocol of pickle writes in its own way, and the strings of Python
  // 2, which torch.load reads as text; nothing for what is none of these.
  std::optional<bool> same_in_any_form(NodeId a, NodeId b) const {
    constexpr KindSet kStrings(Kind::Str, Kind::ByteStr);
    if (kStrings.contains(left_.kind(a)) && kStrings.contains(right_.kind(b))) {
      return left_.text(a) == right_.text(b);
    }
    const checkpoint::Names& left = a_.checkpoint.names();
    const checkpoint::Names& right = b_.checkpoint.names();
    const auto items = set_items(left, a);
    const auto bytes = items ? std::nullopt : bytes_of(left, a);
    if (!items && !bytes) return std::nullopt;
    return type_of(left, a) == type_of(right, b) &&
           (items ? items == set_items(right, b) : bytes == bytes_of(right, b));
  }

  // Arrays and scalars, which each numpy and each protocol writes in its own way.
  std::optional<bool> same_numpy(NodeId a, NodeId b) {
    const auto left = numpy_elements(a_.checkpoint.names(), a);
    const auto right = left ? numpy_elements(b_.checkpoint.names(), b) : std::nullopt;
    if (!right) return std::nullopt;
    return left->scalar == right->scalar && left->shape == right->shape &&
           left->bytes == right->bytes && same_dtype(left->dtype, right->dtype);
  }

  bool same_dtype(NodeId a, NodeId b) {
    const checkpoint::Names& left = a_.checkpoint.names();
    const checkpoint::Names& right = b_.checkpoint.names();
    if (is_plain_dtype(left, a) && is_plain_dtype(right, b)) {
      return numpy_code(left, a) == numpy_code(right, b);
    }
    push(a, b);
    return true;
  }

  bool same_here(NodeId a, NodeId b) {
    const Kind kind = left_.kind(a);
    if (kTexts.contains(kind)) return left_.text(a) == right_.text(b);
    switch (kind) {
      case Kind::Int: return left_.int_value(a) == right_.int_value(b);
      case Kind::Float: return left_.float_bits(a) == right_.float_bits(b);
      case Kind::Tuple:
      case Kind::FrozenSet: return push_all(left_.items(a), right_.items(b));
      case Kind::Global: return lasting_name(left_.global(a)) == lasting_name(right_.global(b));
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
           mine.count == other.count && payloads_.storages(*left, *right);
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
  const PayloadPairs& payloads_;
  std::set<std::pair<NodeId, NodeId>> met_;
  std::vector<std::pair<NodeId, NodeId>> open_pairs_;
};

bool is_strided(const Tensor& tensor) {
  return tensor.storage && (tensor.kind == checkpoint::TensorKind::Tensor ||
                            tensor.kind == checkpoint::TensorKind::Parameter);
}

Verdict same_tensor(const ValueOf& a, const ValueOf& b, TensorId left_id, TensorId right_id,
                    const OpenStorage& open) {
  const checkpoint::Tensors& tensors_a = a.checkpoint.tensors();
  const checkpoint::Tensors& tensors_b = b.checkpoint.tensors();
  const Tensor& left = tensors_a[left_id];
  const Tensor& right = tensors_b[right_id];
  // A parameter is a tensor; that it requires grad does not count.
  const bool same_kind = left.kind == right.kind || (is_strided(left) && is_strided(right));
  const bool alike = left.dtype == right.dtype && same_kind && left.conj == right.conj &&
                     left.neg == right.neg &&
                     std::ranges::equal(tensors_a.shape(left), tensors_b.shape(right));
  if (!alike) return Verdict::Different;
  if (!is_strided(left) || !is_strided(right)) return Verdict::ByParts;
  const bool same = same_elements({tensors_a, left, *open(a.input, *left.storage)},
                                  {tensors_b, right, *open(b.input, *right.storage)});
  return same ? Verdict::Same : Verdict::Different;
}

}  // namespace

bool same_value(const ValueOf& a, const ValueOf& b, const OpenStorage& open) {
  return same_structure(
      a, b,
      {[&](TensorId x, TensorId y) { return same_tensor(a, b, x, y, open); },
       [&](StorageId x, StorageId y) { return same_bytes(*open(a.input, x), *open(b.input, y)); }});
}

bool same_structure(const ValueOf& a, const ValueOf& b, const PayloadPairs& payloads) {
  return Comparer(a, b, payloads).run();
}

}  // namespace ptsd::operation
