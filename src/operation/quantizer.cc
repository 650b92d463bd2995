// SPDX-License-Identifier: Apache-2.0
#include "operation/quantizer.h"

#include <complex>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "checkpoint/elements.h"
#include "operation/inner_call.h"
#include "tensor/scalar.h"

namespace ptsd::operation {

using checkpoint::Checkpoint;
using checkpoint::Known;
using checkpoint::Tensor;
using pickle::Kind;
using pickle::NodeId;
using tensor::DType;

namespace {

constexpr std::uint64_t kMostChannels = std::uint64_t{1} << 20;

[[noreturn]] void fail(const Checkpoint& checkpoint, const Tensor& tensor, std::string message) {
  checkpoint.fail_at(tensor.node, Error::Kind::Malformed, "quantised tensor: " + message);
}

template <class T>
void append(std::vector<std::byte>& bytes, const tensor::Scalar& scalar) {
  const T value = std::visit(
      [](const auto& number) {
        if constexpr (std::is_same_v<std::decay_t<decltype(number)>, std::complex<double>>) {
          return static_cast<T>(number.real());
        } else {
          return static_cast<T>(number);
        }
      },
      scalar);
  const auto raw = std::as_bytes(std::span(&value, 1));
  bytes.insert(bytes.end(), raw.begin(), raw.end());
}

void append(std::vector<std::byte>& bytes, DType dtype, const tensor::Scalar& scalar) {
  switch (dtype) {
    case DType::Int64: return append<std::int64_t>(bytes, scalar);
    case DType::Float32: return append<float>(bytes, scalar);
    default: return append<double>(bytes, scalar);
  }
}

// A list of Python numbers, in files of 1.3.
std::vector<std::byte> listed(const pickle::Graph& graph, NodeId list, DType dtype) {
  std::vector<std::byte> bytes;
  for (const pickle::Mutation& mutation : graph.mutations(list)) {
    for (const NodeId item : mutation.operands) {
      tensor::Scalar value = 0.0;
      if (graph.kind(item) == Kind::Int) value = graph.int_value(item);
      if (graph.kind(item) == Kind::Float) value = graph.float_value(item);
      append(bytes, dtype, value);
    }
  }
  return bytes;
}

std::vector<std::byte> stored(const Payload& payload, const Tensor& tensor, DType dtype) {
  const auto source = element_source(payload.checkpoint.tensors(), tensor,
                                     payload.open(*tensor.storage), payload.big_endian);
  const std::size_t item_size = tensor::info(tensor.dtype).item_size;
  std::vector<std::byte> bytes;
  each_block(*source, 0, source->size(), [&](Bytes block) {
    for (; !block.empty(); block = block.subspan(item_size)) {
      append(bytes, dtype, tensor::scalar_at(tensor.dtype, block));
    }
  });
  return bytes;
}

}  // namespace

std::optional<Quantizer> Quantizer::of(const Checkpoint& checkpoint, const Tensor& tensor) {
  const std::optional<RebuildCall> call =
      find_inner_call(checkpoint.names(), tensor.node, Known::RebuildQTensor);
  if (!call) return std::nullopt;
  const pickle::Graph& graph = checkpoint.graph();
  const NodeSpan params = graph.items(call->args[4]);
  if ((params.size() != 3 && params.size() != 4) || graph.kind(params[0]) != Kind::Global) {
    fail(checkpoint, tensor, "parameters of another form than (scheme, scales, zero points)");
  }
  Quantizer quantizer;
  quantizer.scheme_ = graph.global(params[0]).name;
  const bool per_channel = quantizer.scheme_.starts_with("per_channel");
  if (per_channel != (params.size() == 4)) {
    fail(checkpoint, tensor,
         fmt::format("{} parameters, which {} does not take", params.size() - 1,
                     per_channel ? "a scheme per channel" : "a scheme per tensor"));
  }
  if (per_channel) {
    quantizer.read_channels(checkpoint, tensor, params);
  } else if (graph.kind(params[1]) != Kind::Float || graph.kind(params[2]) != Kind::Int) {
    fail(checkpoint, tensor, "the scale is no float, or the zero point no int");
  } else {
    quantizer.scale_ = graph.float_value(params[1]);
    quantizer.zero_point_ = graph.int_value(params[2]);
  }
  return quantizer;
}

void Quantizer::read_channels(const Checkpoint& checkpoint, const Tensor& tensor, NodeSpan params) {
  const pickle::Graph& graph = checkpoint.graph();
  const tensor::Dims shape = checkpoint.tensors().shape(tensor);
  const std::int64_t axis = graph.kind(params[3]) == Kind::Int ? graph.int_value(params[3]) : -1;
  if (axis < 0 || static_cast<std::uint64_t>(axis) >= shape.size()) {
    fail(checkpoint, tensor, fmt::format("no dimension is its axis {}", axis));
  }
  axis_ = static_cast<std::size_t>(axis);
  channels_ = static_cast<std::uint64_t>(shape[*axis_]);
  if (channels_ > kMostChannels) {
    checkpoint.fail_at(tensor.node, Error::Kind::Unsupported,
                       fmt::format("quantised tensor: {} channels, expected at most {}", channels_,
                                   kMostChannels));
  }
  scales_ = params[1];
  zero_points_ = params[2];
  // The kind of the zero points counts, not the scheme that is pickled.
  const auto points = checkpoint.tensors().tensor_of(zero_points_);
  float_parameters_ = points ? tensor::is_floating(checkpoint.tensors()[*points].dtype)
                             : scheme_ != "per_channel_affine";
  scheme_ = float_parameters_ ? "per_channel_affine_float_qparams" : "per_channel_affine";
}

ChannelNumbers Quantizer::scales(const Payload& payload) const {
  return numbers(payload, scales_, float_parameters_ ? DType::Float32 : DType::Float64);
}
ChannelNumbers Quantizer::zero_points(const Payload& payload) const {
  return numbers(payload, zero_points_, float_parameters_ ? DType::Float32 : DType::Int64);
}

ChannelNumbers Quantizer::numbers(const Payload& payload, NodeId node, DType dtype) const {
  const Checkpoint& checkpoint = payload.checkpoint;
  const checkpoint::Tensors& tensors = checkpoint.tensors();
  std::vector<std::byte> bytes;
  if (checkpoint.graph().kind(node) == Kind::List) {
    bytes = listed(checkpoint.graph(), node, dtype);
  } else {
    const std::optional<checkpoint::TensorId> id = tensors.tensor_of(node);
    if (!id || !tensors[*id].storage || tensors.element_count(tensors[*id]) != channels_) {
      checkpoint.fail_at(
          node, Error::Kind::Malformed,
          fmt::format("parameters of a quantised tensor are no tensor of its {} channels",
                      channels_));
    }
    bytes = stored(payload, tensors[*id], dtype);
  }
  if (const std::uint64_t count = bytes.size() / tensor::info(dtype).item_size;
      count != channels_) {
    checkpoint.fail_at(
        node, Error::Kind::Malformed,
        fmt::format("{} parameters of a tensor quantised in {} channels", count, channels_));
  }
  return {dtype, std::make_unique<MemorySource>("quantizer parameters", std::move(bytes))};
}

}  // namespace ptsd::operation
