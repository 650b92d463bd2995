// SPDX-License-Identifier: Apache-2.0
#include "tensor/compare_kernels.h"

#include <algorithm>
#include <array>

#include "tensor/compare_floats.h"
#include "tensor/compare_integers.h"
#include "tensor/processor.h"

namespace ptsd::tensor {
namespace {

// As stored, in a byte of their own.
template <class T>
using Byte = CompareIntegers<T, std::int32_t>;

template <class P, class Loop>
constexpr CompareRow row(DType dtype) {
  return {dtype, P::template run<Loop, void, const std::byte*, const std::byte*, std::size_t,
                                 std::uint64_t, const CompareRules&, Differences&>};
}

template <class P>
constexpr auto kRows = std::to_array<CompareRow>({
    row<P, Byte<std::uint8_t>>(DType::UInt8),
    row<P, Byte<std::int8_t>>(DType::Int8),
    row<P, CompareIntegers<std::int16_t, std::int32_t>>(DType::Int16),
    row<P, CompareIntegers<std::int32_t, std::int64_t>>(DType::Int32),
    row<P, CompareIntegers<std::int64_t, std::int64_t>>(DType::Int64),
    row<P, CompareFloats<Rounded<Float16>>>(DType::Float16),
    row<P, CompareFloats<Exact<Float>>>(DType::Float32),
    row<P, CompareFloats<Exact<Double>>>(DType::Float64),
    row<P, CompareComplex<Rounded<Float16>>>(DType::Complex32),
    row<P, CompareComplex<Exact<Float>>>(DType::Complex64),
    row<P, CompareComplex<Exact<Double>>>(DType::Complex128),
    row<P, CompareIntegers<Boolean, std::int32_t>>(DType::Bool),
    row<P, Byte<std::int8_t>>(DType::QInt8),
    row<P, Byte<std::uint8_t>>(DType::QUInt8),
    row<P, CompareIntegers<std::int32_t, std::int64_t>>(DType::QInt32),
    row<P, CompareFloats<Rounded<BFloat16>>>(DType::BFloat16),
    row<P, CompareBits<std::uint8_t>>(DType::QUInt4x2),
    row<P, CompareBits<std::uint8_t>>(DType::QUInt2x4),
    row<P, CompareBits<std::uint8_t>>(DType::Bits1x8),
    row<P, CompareBits<std::uint8_t>>(DType::Bits2x4),
    row<P, CompareBits<std::uint8_t>>(DType::Bits4x2),
    row<P, CompareBits<std::uint8_t>>(DType::Bits8),
    row<P, CompareBits<std::uint16_t>>(DType::Bits16),
    row<P, CompareFloats<Exact<ByTable<Float8E5M2>>>>(DType::Float8E5M2),
    row<P, CompareFloats<Exact<ByTable<Float8E4M3Fn>>>>(DType::Float8E4M3Fn),
    row<P, CompareFloats<Exact<ByTable<Float8E5M2Fnuz>>>>(DType::Float8E5M2Fnuz),
    row<P, CompareFloats<Exact<ByTable<Float8E4M3Fnuz>>>>(DType::Float8E4M3Fnuz),
    row<P, CompareIntegers<std::uint16_t, std::int32_t>>(DType::UInt16),
    row<P, CompareIntegers<std::uint32_t, std::int64_t>>(DType::UInt32),
    row<P, CompareIntegers<std::uint64_t, std::uint64_t>>(DType::UInt64),
    row<P, Byte<std::uint8_t>>(DType::UInt1),
    row<P, Byte<std::uint8_t>>(DType::UInt2),
    row<P, Byte<std::uint8_t>>(DType::UInt3),
    row<P, Byte<std::uint8_t>>(DType::UInt4),
    row<P, Byte<std::uint8_t>>(DType::UInt5),
    row<P, Byte<std::uint8_t>>(DType::UInt6),
    row<P, Byte<std::uint8_t>>(DType::UInt7),
    row<P, Byte<std::int8_t>>(DType::Int1),
    row<P, Byte<std::int8_t>>(DType::Int2),
    row<P, Byte<std::int8_t>>(DType::Int3),
    row<P, Byte<std::int8_t>>(DType::Int4),
    row<P, Byte<std::int8_t>>(DType::Int5),
    row<P, Byte<std::int8_t>>(DType::Int6),
    row<P, Byte<std::int8_t>>(DType::Int7),
    row<P, CompareFloats<Exact<ByTable<Float8E8M0Fnu>>>>(DType::Float8E8M0Fnu),
    row<P, CompareBits<std::uint8_t>>(DType::Float4E2M1FnX2),
});

template <class P>
consteval bool rows_in_order() {
  for (std::size_t i = 0; i < kRows<P>.size(); ++i) {
    if (kRows<P>[i].dtype != static_cast<DType>(i)) return false;
  }
  return kRows<P>.size() == kDTypes.size();
}
static_assert(rows_in_order<AnyProcessor>(), "kRows is indexed by DType");

constexpr auto kTables = for_each_processor(
    []<class P>() { return CompareTable{.runs_here = P::runs_here, .rows = kRows<P>}; });

}  // namespace

std::span<const CompareTable> compare_tables() {
  return kTables;
}

CompareKernel find_compare_kernel(DType dtype) {
  static const std::span<const CompareRow> rows = first_that_runs(kTables).rows;
  return rows[static_cast<std::size_t>(dtype)].kernel;
}

}  // namespace ptsd::tensor
