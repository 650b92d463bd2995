// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "tensor/dtype.h"
#include "tensor/summary.h"

namespace ptsd::tensor {

// Whether elements are numbers: not those of the packed dtypes and of the bits.
bool can_summarise(DType dtype);

// What whole elements are like. Complex ones count by their absolute values, booleans as 0 and 1,
// quantised ones by the integers that are stored. `elements` need not be aligned.
Summary summarise(DType dtype, Bytes elements);

// Where `count` bins of one width begin, from the least finite element to the largest, and where
// the last ends: those of numpy.histogram. Around a single value they are 1 wide together.
std::vector<double> bin_edges(const Summary& summary, std::size_t count);

// Adds each element to the count of its bin, between two edges: the lower one is in it, the upper
// one only in the last. NaN and what is outside are in none.
void count_bins(DType dtype, Bytes elements, std::span<const double> edges,
                std::span<std::uint64_t> counts);

}  // namespace ptsd::tensor
