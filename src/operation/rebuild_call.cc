// SPDX-License-Identifier: Apache-2.0
#include "operation/rebuild_call.h"

#include <algorithm>
#include <array>

namespace ptsd::operation {

using checkpoint::Known;
using pickle::NodeId;

namespace {

struct Form {
  Known function;
  std::size_t arguments;                          // at least
  std::optional<std::size_t> requires_grad = {};  // which of them
};

constexpr auto kForms = std::to_array<Form>({
    {Known::RebuildTensor, 4},
    { Known::RebuildTensorV2,                   6, 4},
    { Known::RebuildTensorV3,                   7, 4},
    { Known::RebuildQTensor,                   7, 5},
    { Known::RebuildParameter,                   3, 1},
    { Known::RebuildParameterWithState,                   4, 1},
    { Known::RebuildMetaTensor,                   4, 3},
    { Known::RebuildWrapperSubclass,                   8, 7},
    { Known::RebuildFromNumpy,                   4, 3},
    { Known::RebuildFromCpuTensor,                   4, 3},
});

const Form* find_form(Known function) {
  const auto* const form = std::ranges::find(kForms, function, &Form::function);
  return form == kForms.end() ? nullptr : form;
}

bool is_from_type(Known function) {
  return function == Known::RebuildFromTypeV2 || function == Known::RebuildFromType;
}

}  // namespace

std::optional<RebuildCall> RebuildCall::of(const checkpoint::Names& names, NodeId node) {
  const pickle::Graph& graph = names.graph();
  if (graph.kind(node) != pickle::Kind::Reduce) return std::nullopt;
  NodeId callable = graph.callable(node);
  std::span<const NodeId> args = graph.items(graph.args(node));
  // (function, type, arguments, state)
  const bool nested = is_from_type(names.known(callable).what) && args.size() == 4;
  if (nested) {
    callable = args[0];
    args = graph.items(args[2]);
  }
  const Form* const form = find_form(names.known(callable).what);
  if (form == nullptr || args.size() < form->arguments) return std::nullopt;
  RebuildCall call(node, form->function, nested);
  call.callable = callable;
  call.args.assign(args.begin(), args.end());
  return call;
}

bool RebuildCall::is_strided() const {
  return function_ == Known::RebuildTensor || function_ == Known::RebuildTensorV2 ||
         function_ == Known::RebuildTensorV3 || function_ == Known::RebuildQTensor;
}

bool RebuildCall::is_parameter() const {
  return function_ == Known::RebuildParameter || function_ == Known::RebuildParameterWithState;
}

bool RebuildCall::is_derived() const {
  return is_parameter() || function_ == Known::RebuildFromCpuTensor;
}

std::optional<std::size_t> RebuildCall::requires_grad_index() const {
  return find_form(function_)->requires_grad;
}

void RebuildCall::put_back(pickle::Graph& graph, pickle::Builder& builder) const {
  const NodeId inner = builder.tuple(args);
  if (!nested_) return graph.replace_object(node_, callable, inner);
  const std::span<const NodeId> outer = graph.items(graph.args(node_));
  const std::array<NodeId, 4> items = {callable, outer[1], inner, outer[3]};
  graph.replace_object(node_, graph.callable(node_), builder.tuple(items));
}

}  // namespace ptsd::operation
