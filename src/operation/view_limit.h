// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "checkpoint/checkpoint.h"

namespace ptsd::operation {

// A few bytes can describe a view that shows them over and over. Throws Error::Limit where
// `bytes`, what is to be read of a tensor with a storage, are more than that storage holds and than
// Limits::view_bytes.
void check_view_size(const checkpoint::Checkpoint& checkpoint, const checkpoint::Tensor& tensor,
                     std::uint64_t bytes);

}  // namespace ptsd::operation
