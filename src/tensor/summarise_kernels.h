// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/dtype.h"
#include "tensor/summary.h"

// The loops of summarise.h. Elements need not be aligned.

namespace ptsd::tensor {

using SummariseKernel = void (*)(const std::byte* elements, std::size_t count, Summary& summary);
using BinKernel = void (*)(const std::byte* elements, std::size_t count,
                           std::span<const double> edges, std::span<std::uint64_t> counts);

struct SummariseRow {
  DType dtype;
  SummariseKernel summarise;
  BinKernel count_bins;
};

// The loops compiled for a kind of processor; all give the same bits.
struct SummariseTable {
  bool (*runs_here)();
  std::span<const SummariseRow> rows;
};

// The fastest first; the last runs anywhere.
std::span<const SummariseTable> summarise_tables();

// From the first table that runs here. Null for a dtype whose elements are no numbers.
const SummariseRow* find_summarise_kernels(DType dtype);

}  // namespace ptsd::tensor
