// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "operation/view.h"

namespace ptsd::operation {

// The elements of a tensor that are printed: all, or in each dimension of more than six the three
// at either end, as PyTorch sums up a large tensor.
struct Excerpt {
  static constexpr std::int64_t kEdge = 3;  // elements

  std::vector<std::int64_t> shape;  // of what is printed
  std::vector<bool> cut;            // by dimension: something is left out between the edges
  View view;                        // the same elements, in as many dimensions as it takes

  // Where the dimension began before the cut: the position that is now at `index`.
  std::int64_t original(std::size_t dimension, std::int64_t index, std::int64_t full_size) const {
    return cut[dimension] && index >= kEdge ? full_size - 2 * kEdge + index : index;
  }
};

Excerpt whole(const checkpoint::Geometry& geometry);
Excerpt corners(const checkpoint::Geometry& geometry);

}  // namespace ptsd::operation
