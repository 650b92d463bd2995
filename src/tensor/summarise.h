// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "tensor/dtype.h"
#include "tensor/summary.h"

namespace ptsd::tensor {

// Whether elements are numbers: not those of the packed dtypes and of the bits.
bool can_summarise(DType dtype);

// What whole elements are like. Complex ones count by their absolute values, booleans as 0 and 1,
// quantised ones by the integers that are stored. `elements` need not be aligned.
Summary summarise(DType dtype, Bytes elements);

// Bins of one width from `low` to `high`, which belongs to the last.
struct Bins {
  double low = 0;
  double high = 0;
};

// Adds each finite element between the two to the count of its bin.
void count_bins(DType dtype, Bytes elements, const Bins& bins, std::span<std::uint64_t> counts);

}  // namespace ptsd::tensor
