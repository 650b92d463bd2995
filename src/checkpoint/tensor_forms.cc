// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/numpy_array.h"
#include "checkpoint/tensor_folder.h"

namespace ptsd::checkpoint {

using pickle::Kind;
using pickle::NodeId;

namespace {

constexpr auto kSparseLayouts =
    std::to_array<std::string_view>({"torch.sparse_coo", "torch.sparse_csr", "torch.sparse_csc",
                                     "torch.sparse_bsr", "torch.sparse_bsc"});

}  // namespace

struct TensorFolder::Form {
  Known what;
  std::size_t least;  // arguments
  std::size_t most;
  Result (TensorFolder::*read)(NodeSpan args);
};

const TensorFolder::Form* TensorFolder::find_form(Known what) {
  static constexpr auto kForms = std::to_array<Form>({
      {Known::RebuildTensor,             4, 4, &TensorFolder::rebuild_tensor    },
      {Known::RebuildTensorV2,           6, 7, &TensorFolder::rebuild_tensor_v2 },
      {Known::RebuildTensorV3,           7, 8, &TensorFolder::rebuild_tensor_v3 },
      {Known::RebuildParameter,          3, 3, &TensorFolder::rebuild_parameter },
      {Known::RebuildParameterWithState, 4, 4, &TensorFolder::rebuild_parameter },
      {Known::RebuildQTensor,            7, 7, &TensorFolder::rebuild_qtensor   },
      {Known::RebuildSparseTensor,       2, 2, &TensorFolder::rebuild_sparse    },
      {Known::RebuildSparseCsrTensor,    2, 2, &TensorFolder::rebuild_sparse    },
      {Known::RebuildNestedTensor,       4, 4, &TensorFolder::rebuild_nested    },
      {Known::RebuildNjt,                1, 1, &TensorFolder::rebuild_njt       },
      {Known::RebuildMetaTensor,         4, 4, &TensorFolder::rebuild_meta      },
      {Known::RebuildWrapperSubclass,    8, 8, &TensorFolder::rebuild_wrapper   },
      {Known::RebuildFromNumpy,          4, 4, &TensorFolder::rebuild_from_numpy},
      {Known::RebuildFromCpuTensor,      4, 4, &TensorFolder::rebuild_from_cpu  },
      {Known::RebuildFromTypeV2,         4, 4, &TensorFolder::rebuild_from_type },
      {Known::RebuildFromType,           4, 4, &TensorFolder::rebuild_from_type },
  });
  const auto* const form = std::ranges::find(kForms, what, &Form::what);
  return form == kForms.end() ? nullptr : form;
}

TensorFolder::Result TensorFolder::call(KnownGlobal function, NodeSpan args) {
  const Form* const form = find_form(function.what);
  if (form == nullptr) return std::nullopt;
  if (args.size() < form->least || args.size() > form->most) {
    context_.fail(fmt::format("a tensor is rebuilt from {} arguments, expected {}{}", args.size(),
                              form->least,
                              form->most == form->least ? "" : fmt::format(" or {}", form->most)));
  }
  return (this->*form->read)(args);
}

// (storage, storage_offset, size, stride)
TensorFolder::Result TensorFolder::rebuild_tensor(NodeSpan args) {
  return strided(args, std::nullopt);
}

// (..., requires_grad, hooks [, metadata])
TensorFolder::Result TensorFolder::rebuild_tensor_v2(NodeSpan args) {
  Tensor tensor = strided(args, std::nullopt);
  tensor.requires_grad = context_.boolean(args[4], "requires_grad");
  if (args.size() > 6) set_bits(tensor, args[6]);
  return tensor;
}

// (..., requires_grad, hooks, dtype [, metadata])
TensorFolder::Result TensorFolder::rebuild_tensor_v3(NodeSpan args) {
  Tensor tensor = strided(args, context_.dtype(args[6]));
  tensor.requires_grad = context_.boolean(args[4], "requires_grad");
  if (args.size() > 7) set_bits(tensor, args[7]);
  return tensor;
}

// (tensor, requires_grad, hooks [, state])
TensorFolder::Result TensorFolder::rebuild_parameter(NodeSpan args) {
  const std::optional<TensorId> inner = fold_inner(args[0]);
  if (!inner) return std::nullopt;
  Tensor tensor = derived(tensors_[*inner]);
  if (tensor.kind == TensorKind::Tensor) tensor.kind = TensorKind::Parameter;
  tensor.requires_grad = context_.boolean(args[1], "requires_grad");
  if (args.size() > 3) set_state(tensor, args[3]);
  return tensor;
}

// (storage, storage_offset, size, stride, quantizer_params, requires_grad, hooks)
TensorFolder::Result TensorFolder::rebuild_qtensor(NodeSpan args) {
  Tensor tensor = strided(args, std::nullopt);
  tensor.kind = TensorKind::Quantized;
  tensor.requires_grad = context_.boolean(args[5], "requires_grad");
  const NodeSpan params = context_.tuple(args[4], "quantizer parameters");
  if (params.size() != 3 && params.size() != 4) {
    context_.fail(fmt::format("{} quantizer parameters, expected 3 or 4", params.size()));
  }
  if (context_.names().known(params[0]).what != Known::QScheme) {
    context_.fail(
        fmt::format("qscheme is {}, expected a torch.qscheme", context_.describe(params[0])));
  }
  if (params.size() == 4) {
    // Plain numbers in a list, in files of 1.3.
    component(tensor, "scales", params[1]);
    component(tensor, "zero_points", params[2]);
  }
  return tensor;
}

// (layout, data): COO (indices, values, size [, is_coalesced]), compressed (crow or ccol indices,
// col or row indices, values, size).
TensorFolder::Result TensorFolder::rebuild_sparse(NodeSpan args) {
  const std::string layout = context_.layout(args[0]);
  if (std::ranges::find(kSparseLayouts, layout) == kSparseLayouts.end()) {
    context_.fail(fmt::format("layout {} of a sparse tensor", quote(layout)),
                  Error::Kind::Unsupported);
  }
  const NodeSpan data = context_.tuple(args[1], "sparse data");
  const bool coo = layout == "torch.sparse_coo";
  const bool by_column = layout == "torch.sparse_csc" || layout == "torch.sparse_bsc";
  const std::size_t values = coo ? 1 : 2;
  if (data.size() < values + 2 || data.size() > 4) {
    context_.fail(fmt::format("{} of {} parts", quote(layout), data.size()));
  }
  Tensor tensor = {.kind = TensorKind::Sparse};
  tensor.dtype = demand(data[values], "sparse values").dtype;
  tensor.shape = tensors_.dims_.intern(context_.dims(data[values + 1], "size"));
  check_size(tensor);
  extra(tensor).layout = layout;
  if (coo) {
    if (data.size() == 4) extra(tensor).coalesced = context_.boolean(data[3], "is_coalesced");
    component(tensor, "indices", data[0]);
  } else {
    component(tensor, by_column ? "ccol_indices" : "crow_indices", data[0]);
    component(tensor, by_column ? "row_indices" : "col_indices", data[1]);
  }
  component(tensor, "values", data[values]);
  return tensor;
}

// (buffer, sizes, strides, storage_offsets): the sizes of each tensor are payload.
TensorFolder::Result TensorFolder::rebuild_nested(NodeSpan args) {
  const Tensor& buffer = demand(args[0], "nested buffer");
  const tensor::Dims sizes = tensors_.shape(demand(args[1], "nested sizes"));
  if (sizes.size() != 2) context_.fail("nested sizes are no matrix");
  if (static_cast<std::uint64_t>(sizes[1]) > 64) context_.fail("nested tensors of over 64 sizes");
  std::vector<std::int64_t> shape(1 + static_cast<std::size_t>(sizes[1]), -1);
  shape[0] = sizes[0];
  Tensor tensor = {.dtype = buffer.dtype, .kind = TensorKind::Nested};
  tensor.shape = tensors_.dims_.intern(shape);
  extra(tensor).numel = tensors_.element_count(buffer);
  constexpr auto kRoles =
      std::to_array<std::string_view>({"buffer", "sizes", "strides", "storage_offsets"});
  for (std::size_t i = 0; i < kRoles.size(); ++i) {
    component(tensor, kRoles[i], args[i]);
  }
  return tensor;
}

// ({'values': ..., 'offsets': ..., 'lengths': ..., '_ragged_idx': ..., ...}), the jagged layout.
TensorFolder::Result TensorFolder::rebuild_njt(NodeSpan args) {
  Tensor tensor = {.kind = TensorKind::Nested};
  std::int64_t ragged = 1;
  if (context_.graph().kind(args[0]) != Kind::Dict) context_.fail("a jagged tensor of no dict");
  std::optional<NodeId> values;
  std::optional<NodeId> offsets;
  std::optional<NodeId> lengths;
  const std::vector<NodeId> pairs = entries(args[0], "a jagged tensor");
  for (std::size_t i = 0; i < pairs.size(); i += 2) {
    const std::string_view key = context_.text(pairs[i], "jagged tensor key");
    const NodeId value = pairs[i + 1];
    if (key == "values") values = value;
    if (key == "offsets") offsets = value;
    if (key == "lengths") lengths = value;
    if (key == "requires_grad") tensor.requires_grad = context_.boolean(value, key);
    if (key == "_ragged_idx") ragged = static_cast<std::int64_t>(context_.count(value, key));
  }
  if (!values || !offsets) context_.fail("a jagged tensor without values or offsets");
  set_jagged_shape(tensor, demand(*values, "values"), demand(*offsets, "offsets"), ragged);
  component(tensor, "values", *values);
  component(tensor, "offsets", *offsets);
  if (lengths) component(tensor, "lengths", *lengths);
  extra(tensor).layout = "torch.jagged";
  return tensor;
}

void TensorFolder::set_jagged_shape(Tensor& tensor, const Tensor& values, const Tensor& offsets,
                                    std::int64_t ragged) {
  const tensor::Dims inner = tensors_.shape(values);
  const tensor::Dims bounds = tensors_.shape(offsets);
  if (bounds.size() != 1 || bounds[0] < 1 || ragged < 1 ||
      static_cast<std::uint64_t>(ragged) > inner.size()) {
    context_.fail("a jagged tensor whose offsets and values do not fit together");
  }
  std::vector<std::int64_t> shape(inner.begin(), inner.end());
  shape[static_cast<std::size_t>(ragged) - 1] = -1;
  shape.insert(shape.begin(), bounds[0] - 1);
  tensor.dtype = values.dtype;
  tensor.shape = tensors_.dims_.intern(shape);
  extra(tensor).numel = tensors_.element_count(values);
}

// (dtype, size, stride, requires_grad)
TensorFolder::Result TensorFolder::rebuild_meta(NodeSpan args) {
  Tensor tensor = {.dtype = context_.dtype(args[0]), .kind = TensorKind::Meta};
  set_geometry(tensor, args[1], args[2]);
  tensor.requires_grad = context_.boolean(args[3], "requires_grad");
  extra(tensor).device = "meta";
  return tensor;
}

// (cls, dtype, size, stride, storage_offset, layout, device, requires_grad)
TensorFolder::Result TensorFolder::rebuild_wrapper(NodeSpan args) {
  Tensor tensor = {.dtype = context_.dtype(args[1]), .kind = TensorKind::Subclass};
  set_geometry(tensor, args[2], args[3]);
  tensor.offset = context_.count(args[4], "storage offset");
  tensor.requires_grad = context_.boolean(args[7], "requires_grad");
  TensorExtra& more = extra(tensor);
  if (const std::string layout = context_.layout(args[5]); layout != "torch.strided") {
    more.layout = layout;
  }
  more.device = context_.device(args[6]);
  return tensor;
}

// (array, dtype, device, requires_grad): the numbers are in the pickle.
TensorFolder::Result TensorFolder::rebuild_from_numpy(NodeSpan args) {
  const std::optional<NumpyArray> array = find_numpy_array(context_.names(), args[0]);
  if (!array) {
    context_.fail(fmt::format("data is {}, expected a numpy array", context_.describe(args[0])));
  }
  Tensor tensor = {.dtype = context_.dtype(args[1])};
  tensor.shape = tensors_.dims_.intern(context_.dims(array->shape, "size"));
  check_size(tensor);
  tensor.stride = tensors_.dims_.intern(tensor::contiguous_stride(tensors_.shape(tensor)));
  tensor.requires_grad = context_.boolean(args[3], "requires_grad");
  extra(tensor).device = context_.device(args[2]);
  return tensor;
}

// (cpu tensor, dtype, device, requires_grad)
TensorFolder::Result TensorFolder::rebuild_from_cpu(NodeSpan args) {
  Tensor tensor = derived(demand(args[0], "data"));
  if (const tensor::DType dtype = context_.dtype(args[1]); dtype != tensor.dtype) {
    context_.fail(fmt::format("data of {} for a tensor of {}", tensor::name(tensor.dtype),
                              tensor::name(dtype)),
                  Error::Kind::Unsupported);
  }
  tensor.requires_grad = context_.boolean(args[3], "requires_grad");
  extra(tensor).device = context_.device(args[2]);
  return tensor;
}

// (function, type, arguments, state)
TensorFolder::Result TensorFolder::rebuild_from_type(NodeSpan args) {
  if (++depth_ > kDeepest) {
    context_.fail(fmt::format("tensors nested deeper than {}", kDeepest), Error::Kind::Limit);
  }
  Result tensor = call(context_.names().known(args[0]), context_.tuple(args[2], "arguments"));
  --depth_;
  if (!tensor) return std::nullopt;
  set_state(*tensor, args[3]);
  const KnownGlobal type = context_.names().known(args[1]);
  if (type.what == Known::Parameter) {
    if (tensor->kind == TensorKind::Tensor) tensor->kind = TensorKind::Parameter;
  } else if (type.what != Known::Tensor) {
    tensor->kind = TensorKind::Subclass;
    if (context_.graph().kind(args[1]) == Kind::Global) {
      extra(*tensor).type = context_.graph().global(args[1]);
    }
  }
  return tensor;
}

// Parameter(tensor) and Variable(tensor) of the 0.x era, with the state (requires_grad, volatile,
// hooks) or (data, grad, hooks, requires_grad, volatile).
TensorFolder::Result TensorFolder::old_parameter(NodeId node) {
  const NodeSpan args = context_.graph().items(context_.graph().args(node));
  const std::optional<NodeId> state_node = state_of(node);
  const NodeSpan state = state_node ? context_.tuple(*state_node, "state") : NodeSpan();
  if (state_node && state.size() != 3 && state.size() != 5) {
    context_.fail(fmt::format("a state of {} parts, expected 3 or 5", state.size()));
  }
  if (args.empty() && state.size() != 5) context_.fail("a parameter without data");
  const std::optional<TensorId> inner = fold_inner(state.size() == 5 ? state[0] : args[0]);
  if (!inner) return std::nullopt;
  Tensor tensor = derived(tensors_[*inner]);
  tensor.requires_grad = true;
  if (context_.names().maker(node).what == Known::Parameter) tensor.kind = TensorKind::Parameter;
  if (args.size() > 1) tensor.requires_grad = context_.boolean(args[1], "requires_grad");
  if (state.size() == 3) tensor.requires_grad = context_.boolean(state[0], "requires_grad");
  if (state.size() == 5) tensor.requires_grad = context_.boolean(state[3], "requires_grad");
  return tensor;
}

// torch.FloatTensor() of the 0.x era, with the state (storage, storage_offset, size, stride).
TensorFolder::Result TensorFolder::old_tensor(NodeId node, tensor::DType dtype) {
  const std::optional<NodeId> state_node = state_of(node);
  if (!state_node) return std::nullopt;
  const NodeSpan state = context_.tuple(*state_node, "state");
  if (state.size() != 4) {
    context_.fail(fmt::format("a state of {} parts, expected 4", state.size()));
  }
  return strided(state, dtype);
}

}  // namespace ptsd::checkpoint
