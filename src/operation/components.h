// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "operation/payload.h"

// The inner tensors of sparse and nested ones, by their roles.

namespace ptsd::operation {

// Null where there is none.
const checkpoint::Tensor* find_component(const checkpoint::Tensors& tensors,
                                         const checkpoint::Tensor& tensor, std::string_view role);

// One that must be there, with elements of its own. Throws Error::Unsupported.
const checkpoint::Tensor& dense_component(const Payload& payload, const checkpoint::Tensor& tensor,
                                          std::string_view role);

// How many elements, or blocks, a sparse tensor specifies: PyTorch's nnz.
std::uint64_t specified_count(const Payload& payload, const checkpoint::Tensor& tensor);

}  // namespace ptsd::operation
