// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/differences.h"
#include "tensor/dtype.h"

// The loops of compare.h.

namespace ptsd::tensor {

// `count` elements, neither side aligned.
using CompareKernel = void (*)(const std::byte* a, const std::byte* b, std::size_t count,
                               std::uint64_t first, const CompareRules& rules,
                               Differences& differences);

struct CompareRow {
  DType dtype;
  CompareKernel kernel;
};

// The loops compiled for a kind of processor; all give the same bits.
struct CompareTable {
  bool (*runs_here)();
  std::span<const CompareRow> rows;
};

// The fastest first; the last runs anywhere.
std::span<const CompareTable> compare_tables();

// From the first table that runs here.
CompareKernel find_compare_kernel(DType dtype);

}  // namespace ptsd::tensor
