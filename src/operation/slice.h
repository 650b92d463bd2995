// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "operation/view.h"

namespace ptsd::operation {

// What `tensor[text]` shows of a tensor, as PyTorch has it: integers, slices, "..." and None,
// separated by commas, as Python writes them between brackets. Slices are cut to the size of their
// dimension; an integer must lie in it. Only the geometry changes.
//
// Throws Error::Usage for what is no such index, or does not fit the shape; `name`, if there is
// one, says of which tensor.
View slice(std::string_view text, const checkpoint::Geometry& geometry, std::string_view name = {});

}  // namespace ptsd::operation
