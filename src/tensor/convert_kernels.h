// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tensor/dtype.h"

// The loops of convert.h: every dtype to float32, and float32 to every dtype, so that two rows of
// a table make a cast.

namespace ptsd::tensor {

// `count` elements, at most 2^32 - 1, neither side aligned. Returns how many finite values left the
// range of the target, and makes them the largest if `saturate`.
using Kernel = std::uint64_t (*)(const std::byte* in, std::byte* out, std::size_t count,
                                 bool saturate);

struct KernelRow {
  DType dtype;
  Kernel load;   // to float32; null for float32
  Kernel store;  // from float32; null for float32
};

// The loops compiled for a kind of processor; all give the same bits.
struct KernelTable {
  bool (*runs_here)();
  std::span<const KernelRow> rows;
};

// The fastest first; the last runs anywhere.
std::span<const KernelTable> kernel_tables();

// From the first table that runs here. Null for a dtype that is not floating-point and real.
const KernelRow* find_kernels(DType dtype);

}  // namespace ptsd::tensor
