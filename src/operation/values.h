// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "operation/excerpt.h"
#include "operation/payload.h"
#include "operation/quantizer.h"

namespace ptsd::operation {

// Elements as they are to be read by a person: `dtype` is that of the tensor, but float32 for a
// quantised one.
struct Values {
  tensor::DType dtype;
  std::unique_ptr<ByteSource> elements;  // of the excerpt, in row-major order
};

// Whether a tensor has elements of its own: false for one on the meta device, a sparse or nested
// one, or a subclass that holds its data in its attributes.
bool has_elements(const Payload& payload, const checkpoint::Tensor& tensor);

// `excerpt` is one of the tensor's geometry, and of all of it if it is quantised by channels.
// Throws Error::Limit as check_view_size() does, Error::Unsupported for numbers in the pickle in a
// form that cannot be read.
Values values_of(const Payload& payload, const checkpoint::Tensor& tensor, const Excerpt& excerpt,
                 const std::optional<Quantizer>& quantizer);
// Quantised elements are the integers that are stored.
std::unique_ptr<ByteSource> stored_elements(const Payload& payload,
                                            const checkpoint::Tensor& tensor,
                                            const checkpoint::Geometry& geometry);

}  // namespace ptsd::operation
