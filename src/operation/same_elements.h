// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/byte_source.h"
#include "checkpoint/tensors.h"

namespace ptsd::operation {

// A strided tensor and the bytes of its storage.
struct Elements {
  const checkpoint::Tensors& tensors;
  const checkpoint::Tensor& tensor;
  const ByteSource& storage;
};

// Whether two tensors of one dtype and shape have the same bytes, element by element, however
// their strides and offsets lay them out.
bool same_elements(const Elements& a, const Elements& b);

bool same_bytes(const ByteSource& a, const ByteSource& b);

}  // namespace ptsd::operation
