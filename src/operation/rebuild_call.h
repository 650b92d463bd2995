// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "checkpoint/draft.h"
#include "pickle/builder.h"

namespace ptsd::operation {

// The call of torch._utils that makes a tensor, to be changed and put back. Of a tensor with
// attributes, which _rebuild_from_type_v2 makes, it is the call inside.
class RebuildCall {
 public:
  // Nothing for a node that no such call makes.
  static std::optional<RebuildCall> of(const checkpoint::Names& names, pickle::NodeId node);

  checkpoint::Known function() const { return function_; }
  // Made from a storage, with an offset, sizes and strides.
  bool is_strided() const;
  bool is_parameter() const;
  // Made from another tensor, its first argument, whose storage and geometry it has.
  bool is_derived() const;
  // The argument that says whether a gradient is required, for the functions that have one.
  std::optional<std::size_t> requires_grad_index() const;

  pickle::NodeId callable;
  std::vector<pickle::NodeId> args;

  // Makes this the call. Arguments that other objects share stay theirs.
  void put_back(pickle::Graph& graph, pickle::Builder& builder) const;

 private:
  RebuildCall(pickle::NodeId node, checkpoint::Known function, bool nested)
      : callable{}, node_(node), function_(function), nested_(nested) {}

  pickle::NodeId node_;
  checkpoint::Known function_;
  bool nested_;
};

}  // namespace ptsd::operation
