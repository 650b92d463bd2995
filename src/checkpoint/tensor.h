// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/dims_pool.h"
#include "checkpoint/ids.h"
#include "pickle/graph.h"
#include "tensor/dtype.h"

namespace ptsd::checkpoint {

enum class TensorKind : std::uint8_t {
  Tensor,
  Parameter,
  Quantized,
  Sparse,
  Meta,
  Nested,
  Subclass,
};

std::string_view to_string(TensorKind kind);

// An inner tensor of a sparse, quantised or nested one.
struct Component {
  std::string_view role;  // "indices", "values", "scales", ...
  TensorId tensor;
};

// What only some tensors have.
struct TensorExtra {
  std::string device = {};       // where there is no storage to tell
  std::string layout = {};       // "torch.sparse_csr"; empty: strided
  pickle::GlobalName type = {};  // of a subclass
  std::vector<Component> components = {};
  unsigned depth = 0;                        // of components in components
  std::optional<pickle::NodeId> state = {};  // Python attributes
  std::optional<std::uint64_t> numel = {};   // where the shape does not tell
  std::optional<bool> coalesced = {};        // of sparse_coo, since torch 2.0
};

// A tensor as the pickle describes it. Offset and strides are in elements of its dtype. A size
// of -1 is one that only the payload tells (nested tensors).
struct Tensor {
  static constexpr std::uint32_t kNoExtra = 0xFFFFFFFF;

  std::uint64_t offset = 0;
  pickle::NodeId node{};
  Maybe<StorageId> storage = {};
  std::uint32_t extra = kNoExtra;
  DimsId shape{};
  DimsId stride{};  // empty where there is no geometry (sparse, nested)
  tensor::DType dtype{};
  TensorKind kind = TensorKind::Tensor;
  bool requires_grad : 1 = false;
  bool conj : 1 = false;   // the stored bytes are the conjugate of the values
  bool neg : 1 = false;    // the stored bytes are the negative of the values
  bool inner : 1 = false;  // another tensor is made from it
};
static_assert(sizeof(Tensor) == 32);

}  // namespace ptsd::checkpoint
