// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "tensor/dtype.h"

// Casts between the floating-point dtypes, and between the complex ones, to the bits that .to() of
// PyTorch 2.13 gives on a CPU: to the nearest, ties to even, float64 by way of float32 to
// whatever is narrower.
//
// PyTorch disagrees with itself about NaN, from processor to processor and between its vectorised
// and its scalar loops. Here bfloat16 has the one NaN 0x7FC0, as its scalar type has it, and
// float16 keeps sign and payload and becomes quiet, as on every x86 processor with F16C.
//
// Elements are in the byte order of this machine, which checkpoints share nearly always: little.

namespace ptsd::tensor {

// Between two of float64, float32, float16, bfloat16 and the float8 dtypes, or two of the complex
// dtypes.
bool can_convert(DType from, DType to);

// What becomes of a finite value that leaves the range of the target.
enum class Overflow {
  Keep,  // as in PyTorch: infinity; NaN in the "fnuz" dtypes; in float8_e4m3fn the largest value
  Saturate,  // the largest value of its sign; infinities are as with Keep
};

// Casts the elements in `in` to `out`, which holds as many and does not overlap it; neither needs
// to be aligned. Returns how many finite values, or components of complex values, left the range
// of `to`. float8_e8m0fnu has no sign: PyTorch drops it, and negative values count as having left
// (Saturate makes them the least, 2^-127).
// Throws Error::Unsupported unless can_convert(), Error::Conflict if the sizes do not fit.
std::uint64_t convert(DType from, DType to, Bytes in, std::span<std::byte> out, Overflow overflow);

}  // namespace ptsd::tensor
