// SPDX-License-Identifier: Apache-2.0
#include "tensor/compare.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "tensor/compare_kernels.h"

namespace ptsd::tensor {
namespace {

struct ToleranceRow {
  DType dtype;
  Tolerance tolerance;
};

// torch/testing/_comparison.py, _DTYPE_PRECISIONS; the quantised dtypes are compared as float32.
constexpr auto kTolerances = std::to_array<ToleranceRow>({
    {DType::Float16,    {1e-3, 1e-5}  },
    {DType::BFloat16,   {1.6e-2, 1e-5}},
    {DType::Float32,    {1.3e-6, 1e-5}},
    {DType::Float64,    {1e-7, 1e-7}  },
    {DType::Complex32,  {1e-3, 1e-5}  },
    {DType::Complex64,  {1.3e-6, 1e-5}},
    {DType::Complex128, {1e-7, 1e-7}  },
    {DType::QUInt8,     {1.3e-6, 1e-5}},
    {DType::QUInt2x4,   {1.3e-6, 1e-5}},
    {DType::QUInt4x2,   {1.3e-6, 1e-5}},
    {DType::QInt8,      {1.3e-6, 1e-5}},
    {DType::QInt32,     {1.3e-6, 1e-5}},
});

Tolerance tolerance_of(DType dtype) {
  const auto* const row = std::ranges::find(kTolerances, dtype, &ToleranceRow::dtype);
  return row == kTolerances.end() ? Tolerance() : row->tolerance;
}

}  // namespace

bool equal_bytes_suffice(DType dtype, const CompareRules& rules) {
  return rules.bits || rules.equal_nan || !can_require_grad(dtype);
}

void compare(DType dtype, Bytes a, Bytes b, std::uint64_t first, const CompareRules& rules,
             Differences& differences) {
  assert(a.size() == b.size());
  const std::size_t count = a.size() / info(dtype).item_size;
  find_compare_kernel(dtype)(a.data(), b.data(), count, first, rules, differences);
}

Tolerance default_tolerance(DType a, DType b) {
  const Tolerance one = tolerance_of(a);
  const Tolerance other = tolerance_of(b);
  return {std::max(one.rtol, other.rtol), std::max(one.atol, other.atol)};
}

}  // namespace ptsd::tensor
