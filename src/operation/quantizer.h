// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "operation/payload.h"
#include "tensor/dtype.h"

// What the integers of a quantised tensor stand for: (q - zero point) * scale, with one pair for
// the tensor or one for each position along an axis.

namespace ptsd::operation {

// Scales or zero points, one for each channel.
struct ChannelNumbers {
  tensor::DType dtype;
  std::unique_ptr<ByteSource> elements;  // in the byte order of this machine
};

class Quantizer {
 public:
  // Nothing for a tensor that is not quantised. Throws Error::Malformed for parameters that are of
  // other kinds than torch pickles, Error::Unsupported for more than a million channels.
  static std::optional<Quantizer> of(const checkpoint::Checkpoint& checkpoint,
                                     const checkpoint::Tensor& tensor);

  const std::string& scheme() const { return scheme_; }  // "per_tensor_affine"
  bool per_channel() const { return axis_.has_value(); }
  // Per tensor.
  double scale() const { return scale_; }
  std::int64_t zero_point() const { return zero_point_; }
  // Per channel.
  std::size_t axis() const { return *axis_; }
  // In the dtypes that PyTorch keeps them in: float64 and int64, or float32 for both where zero
  // points are subtracted as floats.
  ChannelNumbers scales(const Payload& payload) const;
  ChannelNumbers zero_points(const Payload& payload) const;
  bool float_parameters() const { return float_parameters_; }

 private:
  using NodeSpan = std::span<const pickle::NodeId>;

  ChannelNumbers numbers(const Payload& payload, pickle::NodeId node, tensor::DType dtype) const;
  void read_channels(const checkpoint::Checkpoint& checkpoint, const checkpoint::Tensor& tensor,
                     NodeSpan params);

  std::string scheme_;
  double scale_ = 1;
  std::int64_t zero_point_ = 0;
  std::optional<std::size_t> axis_;
  bool float_parameters_ = false;
  std::uint64_t channels_ = 0;
  pickle::NodeId scales_{};
  pickle::NodeId zero_points_{};
};

}  // namespace ptsd::operation
