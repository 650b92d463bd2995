// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "base/byte_source.h"
#include "checkpoint/checkpoint.h"

namespace ptsd::operation {

// The bytes of a storage of one of several inputs.
using OpenStorage =
    std::function<std::unique_ptr<ByteSource>(std::size_t input, checkpoint::StorageId storage)>;

// A value of one of several inputs.
struct ValueOf {
  const checkpoint::Checkpoint& checkpoint;
  pickle::NodeId node;
  std::size_t input;
};

// Whether two values are equal: tensors in dtype, shape and the bytes of their elements; all else
// in every part, with types, the order of items (but of sets) and the bits of floats. Device,
// strides, what is shared with others and whether a tensor is a parameter do not count.
bool same_value(const ValueOf& a, const ValueOf& b, const OpenStorage& open);

// The same, but for the bytes: pairs of tensors and of storages that are met are handed out, to be
// compared by the caller.
struct PayloadPairs {
  enum class Verdict { Same, Different, ByParts };

  std::function<Verdict(checkpoint::TensorId a, checkpoint::TensorId b)> tensors;
  std::function<bool(checkpoint::StorageId a, checkpoint::StorageId b)> storages;
};
bool same_structure(const ValueOf& a, const ValueOf& b, const PayloadPairs& payloads);

}  // namespace ptsd::operation
