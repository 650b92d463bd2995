// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "checkpoint/elements.h"

namespace ptsd::operation {

// A geometry that owns its numbers.
struct View {
  std::uint64_t offset = 0;  // elements
  std::vector<std::int64_t> shape = {};
  std::vector<std::int64_t> stride = {};  // elements

  View() = default;
  explicit View(const checkpoint::Geometry& geometry)
      : offset(geometry.offset),
        shape(geometry.shape.begin(), geometry.shape.end()),
        stride(geometry.stride.begin(), geometry.stride.end()) {}

  // Borrows this.
  checkpoint::Geometry geometry() const { return {offset, shape, stride}; }
};

}  // namespace ptsd::operation
