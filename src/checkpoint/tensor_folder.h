// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "checkpoint/fold_context.h"
#include "tensor/layout.h"

namespace ptsd::checkpoint {

// Makes a tensor of each node that is one. Storages must have been folded. A form is a row of a
// table in the .cc: the global, how many arguments it takes, and the function that reads them.
class TensorFolder {
 public:
  TensorFolder(FoldContext& context, Tensors& tensors) : context_(context), tensors_(tensors) {}

  // Nothing happens for a node that is no tensor, and for one whose rebuild function is unknown:
  // that stays an object with its parts.
  void fold(pickle::NodeId node);

 private:
  // Tensors in tensors: a real one has three (a parameter around a subclass around data).
  static constexpr unsigned kDeepest = 32;
  // Components of components: a real one has one (the values of a sparse tensor). More would let a
  // few bytes make a tree of any size, since a component can be shared.
  static constexpr unsigned kDeepestComponent = 3;
  // Entries of a dict that describes a tensor: a real one has eight.
  static constexpr std::size_t kMostEntries = 64;

  struct Form;
  static const Form* find_form(Known what);

  using Result = std::optional<Tensor>;

  std::optional<TensorId> fold_inner(pickle::NodeId node);
  Result build(pickle::NodeId node);
  Result call(KnownGlobal function, NodeSpan args);
  void refuse_changes(pickle::NodeId node);
  std::optional<pickle::NodeId> state_of(pickle::NodeId node);

  // What the forms share.
  Tensor strided(NodeSpan args, std::optional<tensor::DType> dtype);
  void set_geometry(Tensor& tensor, pickle::NodeId size, pickle::NodeId stride);
  void check_size(const Tensor& tensor);
  void check_extent(const Tensor& tensor, const Storage& storage);
  void set_bits(Tensor& tensor, pickle::NodeId metadata);
  // Key, value, key, value, ... of a dict that describes a tensor.
  std::vector<pickle::NodeId> entries(pickle::NodeId dict, std::string_view what);
  TensorExtra& extra(Tensor& tensor);
  // A copy that can be changed without changing the original.
  Tensor derived(const Tensor& inner);
  // The inner tensor in this role, or nothing if the node is no tensor that is understood.
  std::optional<TensorId> component(Tensor& tensor, std::string_view role, pickle::NodeId node);
  const Tensor& demand(pickle::NodeId node, std::string_view role);
  void set_state(Tensor& tensor, pickle::NodeId state);
  void set_jagged_shape(Tensor& tensor, const Tensor& values, const Tensor& offsets,
                        std::int64_t ragged);

  // The forms.
  Result rebuild_tensor(NodeSpan args);
  Result rebuild_tensor_v2(NodeSpan args);
  Result rebuild_tensor_v3(NodeSpan args);
  Result rebuild_parameter(NodeSpan args);
  Result rebuild_qtensor(NodeSpan args);
  Result rebuild_sparse(NodeSpan args);
  Result rebuild_nested(NodeSpan args);
  Result rebuild_njt(NodeSpan args);
  Result rebuild_meta(NodeSpan args);
  Result rebuild_wrapper(NodeSpan args);
  Result rebuild_from_numpy(NodeSpan args);
  Result rebuild_from_cpu(NodeSpan args);
  Result rebuild_from_type(NodeSpan args);
  Result old_parameter(pickle::NodeId node);
  Result old_tensor(pickle::NodeId node, tensor::DType dtype);

  FoldContext& context_;
  Tensors& tensors_;
  unsigned depth_ = 0;
};

}  // namespace ptsd::checkpoint
