// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/bytes.h"
#include "tensor/differences.h"
#include "tensor/dtype.h"

// Comparison of elements as torch.isclose and torch.testing.assert_close of PyTorch 2.13 do it:
// everything is computed in the dtype of the elements (float16 and bfloat16 rounded after each
// step), integers with tolerances in float32. Elements of the float8 dtypes, which PyTorch only
// tests for equality, are computed with in float32.

namespace ptsd::tensor {

// Whether equal bytes make elements equal: not where a NaN is unequal to itself.
bool equal_bytes_suffice(DType dtype, const CompareRules& rules);

// Compares as many whole elements as both hold, the first of which has the number `first`, and adds
// what differs. Neither needs to be aligned.
void compare(DType dtype, Bytes a, Bytes b, std::uint64_t first, const CompareRules& rules,
             Differences& differences);

// The default of torch.testing.assert_close for a pair: the larger of both.
Tolerance default_tolerance(DType a, DType b);

}  // namespace ptsd::tensor
