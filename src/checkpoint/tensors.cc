// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/tensors.h"

#include "tensor/layout.h"

namespace ptsd::checkpoint {

std::string_view to_string(TensorKind kind) {
  static constexpr auto kNames = std::to_array<std::string_view>(
      {"tensor", "parameter", "quantized", "sparse", "meta", "nested", "subclass"});
  return kNames[static_cast<std::size_t>(kind)];
}

std::optional<TensorId> Tensors::tensor_of(pickle::NodeId node) const {
  const std::uint32_t number = number_of(node);
  if (number == 0 || number - 1 >= tensors_.size() || tensors_[number - 1].node != node) {
    return std::nullopt;
  }
  return TensorId{number - 1};
}

std::optional<StorageId> Tensors::storage_of(pickle::NodeId node) const {
  const std::uint32_t number = number_of(node);
  // A tensor's node is no persistent id, so the two numberings cannot be mistaken.
  if (number == 0 || tensor_of(node)) return std::nullopt;
  return StorageId{number - 1};
}

const TensorExtra* Tensors::extra(const Tensor& tensor) const {
  return tensor.extra == Tensor::kNoExtra ? nullptr : &extras_[tensor.extra];
}

std::uint64_t Tensors::element_count(const Tensor& tensor) const {
  const TensorExtra* const more = extra(tensor);
  if (more != nullptr && more->numel) return *more->numel;
  return *tensor::element_count(shape(tensor));
}

std::uint64_t Tensors::byte_count(const Tensor& tensor) const {
  const TensorExtra* const more = extra(tensor);
  if (more != nullptr && more->numel) return *more->numel * tensor::info(tensor.dtype).item_size;
  return *tensor::byte_count(shape(tensor), tensor.dtype);
}

bool Tensors::is_contiguous(const Tensor& tensor) const {
  const tensor::Dims strides = stride(tensor);
  return strides.size() == shape(tensor).size() && tensor::is_contiguous(shape(tensor), strides);
}

std::string_view device_of(const Tensors& tensors, const pickle::Graph& graph,
                           const Tensor& tensor) {
  const TensorExtra* const extra = tensors.extra(tensor);
  if (extra != nullptr && !extra->device.empty()) return extra->device;
  if (tensor.storage) return graph.text(tensors[*tensor.storage].location);
  if (extra != nullptr && !extra->components.empty()) {
    return device_of(tensors, graph, tensors[extra->components.front().tensor]);
  }
  return "cpu";
}

}  // namespace ptsd::checkpoint
