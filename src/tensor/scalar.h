// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <complex>
#include <cstddef>
#include <cstdint>
#include <variant>

#include "base/bytes.h"
#include "tensor/dtype.h"

// Single elements as numbers, for printing: whole tensors are a matter of kernels.

namespace ptsd::tensor {

enum class NumberClass : std::uint8_t { Bool, Signed, Unsigned, Floating, Complex };

// What the elements of a dtype are printed as. The bits and the small integer dtypes are whole
// bytes; so is float4_e2m1fn_x2, which PyTorch prints by its bytes too, but as a floating dtype.
NumberClass number_class(DType dtype);

// By number_class(), in its order. Every floating dtype fits a double without loss.
using Scalar = std::variant<bool, std::int64_t, std::uint64_t, double, std::complex<double>>;

// How one element is read: `item_size` bytes in the byte order of this machine, not necessarily
// aligned.
using ReadScalar = Scalar (*)(const std::byte* element);
ReadScalar scalar_reader(DType dtype);

// The first element of `bytes`, which holds one.
Scalar scalar_at(DType dtype, Bytes bytes);

}  // namespace ptsd::tensor
