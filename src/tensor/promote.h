// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "tensor/dtype.h"

namespace ptsd::tensor {

// A dtype in which elements of both can be compared: torch.promote_types, and where PyTorch 2.13
// has none, for the float8 dtypes and the unsigned integers over 8 bits, one that holds the values
// of both. Nothing where there is none: uint64 beside signed integers, packed and quantised dtypes
// beside any other.
std::optional<DType> promote(DType a, DType b);

// The elements of `in` in a dtype that promote() gave. `out` holds as many; neither needs to be
// aligned.
void convert_promoted(DType from, DType to, Bytes in, std::span<std::byte> out);

}  // namespace ptsd::tensor
