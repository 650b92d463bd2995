// SPDX-License-Identifier: Apache-2.0
#include "operation/load_refusal.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <fmt/format.h>

#include "checkpoint/value.h"
#include "pickle/import_names.h"
#include "tensor/dtype.h"

namespace ptsd::operation {

using checkpoint::Tensor;
using checkpoint::TensorExtra;
using tensor::DType;

namespace {

// Dtypes that can be stored, and copied from nothing but themselves.
struct Uncopied {
  DType dtype;
  std::string_view kernel;
  std::string_view name;  // c10::toString(ScalarType)
};

constexpr auto kUncopied = std::to_array<Uncopied>({
    {DType::Bits1x8,        "copy_",       "Bits1x8"         },
    {DType::Bits2x4,        "copy_",       "Bits2x4"         },
    {DType::Bits4x2,        "copy_",       "Bits4x2"         },
    {DType::Bits8,          "copy_",       "Bits8"           },
    {DType::Bits16,         "copy_",       "Bits16"          },
    {DType::UInt1,          "copy_",       "UInt1"           },
    {DType::UInt2,          "copy_",       "UInt2"           },
    {DType::UInt3,          "copy_",       "UInt3"           },
    {DType::UInt4,          "copy_",       "UInt4"           },
    {DType::UInt5,          "copy_",       "UInt5"           },
    {DType::UInt6,          "copy_",       "UInt6"           },
    {DType::UInt7,          "copy_",       "UInt7"           },
    {DType::Int1,           "copy_",       "Int1"            },
    {DType::Int2,           "copy_",       "Int2"            },
    {DType::Int3,           "copy_",       "Int3"            },
    {DType::Int4,           "copy_",       "Int4"            },
    {DType::Int5,           "copy_",       "Int5"            },
    {DType::Int6,           "copy_",       "Int6"            },
    {DType::Int7,           "copy_",       "Int7"            },
    {DType::Float4E2M1FnX2, "copy_kernel", "Float4_e2m1fn_x2"},
});

// A tensor, with what only some have.
struct View {
  const Tensor& tensor;
  const TensorExtra* extra;

  bool has_layout() const { return extra != nullptr && !extra->layout.empty(); }
};

View view(const TensorOf& of) {
  const checkpoint::Tensors& tensors = of.checkpoint.tensors();
  const Tensor& tensor = tensors[tensors.tensor_of(of.node).value()];
  return {tensor, tensors.extra(tensor)};
}

bool is_quantized(const Tensor& tensor) {
  constexpr auto kQuantized = std::to_array<DType>(
      {DType::QInt8, DType::QUInt8, DType::QInt32, DType::QUInt4x2, DType::QUInt2x4});
  return std::ranges::find(kQuantized, tensor.dtype) != kQuantized.end();
}

bool is_meta(const TensorOf& of, const View& view) {
  if (view.tensor.storage) {
    const checkpoint::Storage& storage = of.checkpoint.tensors()[*view.tensor.storage];
    return of.checkpoint.graph().text(storage.location) == "meta";
  }
  return view.extra != nullptr && view.extra->device == "meta";
}

// "Float" of torch.FloatTensor.
std::string_view type_prefix(DType dtype) {
  const std::string_view name = tensor::info(dtype).storage_class;
  return name.substr(0, name.find("Storage"));
}

std::string refuse_sparse(std::string_view layout, const Tensor& source, const Tensor& target) {
  if (layout != "torch.sparse_coo") {
    return "copy_sparse_compressed_ expected sparse compressed tensor layout but got Strided";
  }
  return fmt::format(
      "copy_() between dense and sparse Tensors is not implemented! Found self type = "
      "torch.{}Tensor and src type = torch.sparse.{}Tensor",
      type_prefix(target.dtype), type_prefix(source.dtype));
}

}  // namespace

std::string class_of(const checkpoint::Names& names, pickle::NodeId node) {
  const pickle::Graph& graph = names.graph();
  const std::string type = type_of(names, node);
  if (!pickle::kObjects.contains(graph.kind(node))) return type;
  const pickle::NodeId callable = graph.callable(node);
  if (graph.kind(callable) != pickle::Kind::Global) return type;
  const pickle::GlobalName name = pickle::canonical(graph.global(callable));
  return name.module == "collections" && name.name == type ? "collections." + type : type;
}

std::optional<std::string> copy_refusal(const TensorOf& source, const TensorOf& target) {
  const View from = view(source);
  const View to = view(target);
  if (to.has_layout() || is_quantized(to.tensor)) return std::nullopt;
  if (is_quantized(from.tensor)) {
    return "Copying from quantized Tensor to non-quantized Tensor is not allowed, please use "
           "dequantize to get a float Tensor from a quantized Tensor";
  }
  if (from.has_layout()) return refuse_sparse(from.extra->layout, from.tensor, to.tensor);
  if (is_meta(source, from)) return "Cannot copy out of meta tensor; no data!";
  const auto* const row = std::ranges::find(kUncopied, from.tensor.dtype, &Uncopied::dtype);
  if (row == kUncopied.end() || from.tensor.dtype == to.tensor.dtype) return std::nullopt;
  return fmt::format("\"{}\" not implemented for '{}'", row->kernel, row->name);
}

}  // namespace ptsd::operation
