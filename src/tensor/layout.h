// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tensor/dtype.h"

// Arithmetic on shapes and strides, in elements unless a name says bytes. All sizes and strides
// are known not to be negative; results are nothing when they do not fit 64 bits.

namespace ptsd::tensor {

using Dims = std::span<const std::int64_t>;

// The product; 0 as soon as one size is 0, whatever the others are.
std::optional<std::uint64_t> element_count(Dims shape);

// The bytes of the logical tensor, packed as torch packs it: rows of the last dimension are
// rounded up to whole storage elements.
std::optional<std::uint64_t> byte_count(Dims shape, DType dtype);

// One more than the highest storage element that is reached from `offset`: 0 for an empty tensor.
std::optional<std::uint64_t> end_element(std::uint64_t offset, Dims shape, Dims stride);

// The row-major strides of a shape that has an element count; sizes of 0 count as 1, as in torch.
std::vector<std::int64_t> contiguous_stride(Dims shape);

// Row-major without gaps; sizes of 1 and empty tensors do not matter, as in torch.
bool is_contiguous(Dims shape, Dims stride);

}  // namespace ptsd::tensor
