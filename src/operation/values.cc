// SPDX-License-Identifier: Apache-2.0
#include "operation/values.h"

#include <cstring>
#include <utility>

#include "base/quote.h"
#include "checkpoint/numpy_array.h"
#include "checkpoint/numpy_scalar.h"
#include "operation/inner_call.h"
#include "operation/view_limit.h"
#include "tensor/scalar.h"

namespace ptsd::operation {

using checkpoint::Checkpoint;
using checkpoint::Tensor;
using pickle::Kind;
using pickle::NodeId;
using tensor::DType;

namespace {

// Elements of a part of a byte, the lowest bits first, as a byte each.
class UnpackSource final : public ByteSource {
 public:
  UnpackSource(std::unique_ptr<ByteSource> packed, unsigned per_byte)
      : packed_(std::move(packed)), per_byte_(per_byte) {}

  using ByteSource::read;
  const std::string& name() const override { return packed_->name(); }
  std::uint64_t size() const override { return packed_->size() * per_byte_; }

  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (out.empty()) return;
    const unsigned bits = 8 / per_byte_;
    const std::uint64_t first = offset / per_byte_;
    const std::uint64_t last = (offset + out.size() - 1) / per_byte_;
    const std::vector<std::byte> bytes = packed_->read(first, last - first + 1);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::uint64_t at = offset + i;
      const auto shift = static_cast<unsigned>(at % per_byte_) * bits;
      out[i] = bytes[at / per_byte_ - first] >> shift & std::byte((1u << bits) - 1);
    }
  }

 private:
  std::unique_ptr<ByteSource> packed_;
  unsigned per_byte_;
};

double as_double(const tensor::Scalar& scalar) {
  return std::visit(
      [](const auto& value) -> double {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::complex<double>>) {
          return value.real();
        } else {
          return static_cast<double>(value);
        }
      },
      scalar);
}

std::vector<double> doubles(const ChannelNumbers& numbers) {
  std::vector<double> values;
  const std::size_t item_size = tensor::info(numbers.dtype).item_size;
  each_block(*numbers.elements, 0, numbers.elements->size(), [&](Bytes block) {
    for (; !block.empty(); block = block.subspan(item_size)) {
      values.push_back(as_double(tensor::scalar_at(numbers.dtype, block)));
    }
  });
  return values;
}

// Integers as the float32 numbers they stand for. To be read in whole elements.
class DequantizedSource : public ByteSource {
 public:
  DequantizedSource(DType dtype, std::unique_ptr<ByteSource> integers)
      : item_size_(tensor::info(dtype).item_size),
        read_(tensor::scalar_reader(dtype)),
        integers_(std::move(integers)) {}

  using ByteSource::read;
  const std::string& name() const override { return integers_->name(); }
  std::uint64_t size() const override { return integers_->size() / item_size_ * sizeof(float); }

  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    const std::uint64_t first = offset / sizeof(float);
    const std::uint64_t count = out.size() / sizeof(float);
    const std::vector<std::byte> integers = integers_->read(first * item_size_, count * item_size_);
    for (std::uint64_t i = 0; i < count; ++i) {
      const float value = number(as_double(read_(integers.data() + i * item_size_)), first + i);
      std::memcpy(out.data() + i * sizeof(float), &value, sizeof(float));
    }
  }

 private:
  // The arithmetic is that of PyTorch 2.13 on a CPU, rounding for rounding.
  virtual float number(double integer, std::uint64_t index) const = 0;

  std::size_t item_size_;
  tensor::ReadScalar read_;
  std::unique_ptr<ByteSource> integers_;
};

class PerTensorSource final : public DequantizedSource {
 public:
  PerTensorSource(DType dtype, std::unique_ptr<ByteSource> integers, const Quantizer& quantizer)
      : DequantizedSource(dtype, std::move(integers)),
        scale_(static_cast<float>(quantizer.scale())),
        zero_point_(static_cast<double>(quantizer.zero_point())) {}

 private:
  float number(double integer, std::uint64_t) const override {
    return static_cast<float>(integer - zero_point_) * scale_;
  }

  float scale_;
  double zero_point_;
};

class PerChannelSource final : public DequantizedSource {
 public:
  struct Channels {
    std::vector<double> scales = {};       // by position along the axis
    std::vector<double> zero_points = {};  // likewise
    std::uint64_t inner = 1;               // elements at one position
    bool floating = false;
  };

  PerChannelSource(DType dtype, std::unique_ptr<ByteSource> integers, Channels channels)
      : DequantizedSource(dtype, std::move(integers)), channels_(std::move(channels)) {}

 private:
  float number(double integer, std::uint64_t index) const override {
    const std::size_t channel = index / channels_.inner % channels_.scales.size();
    const double scale = channels_.scales[channel];
    const double zero_point = channels_.zero_points[channel];
    if (!channels_.floating) return static_cast<float>((integer - zero_point) * scale);
    return (static_cast<float>(integer) - static_cast<float>(zero_point)) *
           static_cast<float>(scale);
  }

  Channels channels_;
};

PerChannelSource::Channels channels_of(const Payload& payload, const Quantizer& quantizer,
                                       const Excerpt& excerpt) {
  const std::vector<double> scales = doubles(quantizer.scales(payload));
  const std::vector<double> zero_points = doubles(quantizer.zero_points(payload));
  const std::size_t axis = quantizer.axis();
  PerChannelSource::Channels channels = {.floating = quantizer.float_parameters()};
  for (std::int64_t i = 0; i < excerpt.shape[axis]; ++i) {
    const auto channel = static_cast<std::size_t>(
        excerpt.original(axis, i, static_cast<std::int64_t>(scales.size())));
    channels.scales.push_back(scales[channel]);
    channels.zero_points.push_back(zero_points[channel]);
  }
  for (std::size_t i = axis + 1; i < excerpt.shape.size(); ++i) {
    channels.inner *= static_cast<std::uint64_t>(excerpt.shape[i]);
  }
  return channels;
}

[[noreturn]] void fail(const Payload& payload, const Tensor& tensor, std::string message) {
  payload.checkpoint.fail_at(tensor.node, Error::Kind::Unsupported, std::move(message));
}

std::optional<RebuildCall> numpy_call(const Payload& payload, const Tensor& tensor) {
  return find_inner_call(payload.checkpoint.names(), tensor.node,
                         checkpoint::Known::RebuildFromNumpy);
}

// The state of an array is (version, shape, dtype, is_fortran, data).
bool is_fortran(const pickle::Graph& graph, NodeId array) {
  for (const pickle::Mutation& mutation : graph.mutations(array)) {
    const auto state = graph.items(mutation.operands[0]);
    return state.size() == 5 && graph.kind(state[3]) == Kind::True;
  }
  const auto args = graph.items(graph.args(array));
  return args.size() > 3 && graph.kind(args[3]) == Kind::Str && graph.text(args[3]) != "C";
}

// The numbers of _rebuild_device_tensor_from_numpy.
std::unique_ptr<ByteSource> pickled_elements(const Payload& payload, const Tensor& tensor) {
  const checkpoint::Names& names = payload.checkpoint.names();
  const NodeId node = numpy_call(payload, tensor)->args[0];
  const auto array = checkpoint::find_numpy_array(names, node);
  const std::string dtype = array ? checkpoint::numpy_dtype_name(names, array->dtype) : "";
  if (dtype != tensor::name(tensor.dtype) || is_fortran(names.graph(), node)) {
    fail(payload, tensor,
         "a tensor of " + std::string(tensor::name(tensor.dtype)) + " from a numpy array of " +
             quote(dtype) + ", expected the same in C order");
  }
  const std::optional<std::string> bytes = checkpoint::bytes_of(names, array->data);
  if (!bytes || bytes->size() != payload.checkpoint.tensors().byte_count(tensor)) {
    fail(payload, tensor, "a numpy array whose data is not as long as its shape says");
  }
  const Bytes raw = as_bytes(*bytes);
  return std::make_unique<MemorySource>("numpy array",
                                        std::vector<std::byte>(raw.begin(), raw.end()));
}

}  // namespace

bool has_elements(const Payload& payload, const Tensor& tensor) {
  return tensor.storage || numpy_call(payload, tensor);
}

std::unique_ptr<ByteSource> stored_elements(const Payload& payload, const Tensor& tensor,
                                            const checkpoint::Geometry& geometry) {
  const bool in_pickle = !tensor.storage;
  if (!in_pickle) {
    check_view_size(payload.checkpoint, tensor,
                    tensor::byte_count(geometry.shape, tensor.dtype).value_or(~std::uint64_t{0}));
  }
  std::unique_ptr<ByteSource> storage =
      in_pickle ? pickled_elements(payload, tensor) : payload.open(*tensor.storage);
  const unsigned per_item = tensor::info(tensor.dtype).elements_per_item;
  if (per_item > 1) storage = std::make_unique<UnpackSource>(std::move(storage), per_item);
  return element_source(tensor, geometry, std::move(storage), payload.big_endian && !in_pickle);
}

Values values_of(const Payload& payload, const Tensor& tensor, const Excerpt& excerpt,
                 const std::optional<Quantizer>& quantizer) {
  const checkpoint::Geometry geometry = excerpt.view.geometry();
  std::unique_ptr<ByteSource> stored = stored_elements(payload, tensor, geometry);
  if (!quantizer) return {tensor.dtype, std::move(stored)};
  if (!quantizer->per_channel()) {
    return {DType::Float32,
            std::make_unique<PerTensorSource>(tensor.dtype, std::move(stored), *quantizer)};
  }
  return {DType::Float32,
          std::make_unique<PerChannelSource>(tensor.dtype, std::move(stored),
                                             channels_of(payload, *quantizer, excerpt))};
}

}  // namespace ptsd::operation
