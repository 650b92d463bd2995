// SPDX-License-Identifier: Apache-2.0
#include "tensor/promote.h"

#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

namespace ptsd::tensor {
namespace {

template <class To, class From>
std::vector<To> promoted(DType from, DType to, const std::vector<From>& values) {
  const Bytes in = std::as_bytes(std::span(values));
  const std::size_t count = in.size() / info(from).item_size;
  std::vector<To> out(count * info(to).item_size / sizeof(To));
  convert_promoted(from, to, in, std::as_writable_bytes(std::span(out)));
  return out;
}

TEST_CASE("two dtypes are compared in one that holds both") {
  CHECK(promote(DType::Float32, DType::Float32) == DType::Float32);
  CHECK(promote(DType::Float16, DType::BFloat16) == DType::Float32);
  CHECK(promote(DType::Float16, DType::Float64) == DType::Float64);
  CHECK(promote(DType::Int64, DType::Float16) == DType::Float16);
  CHECK(promote(DType::UInt64, DType::Float32) == DType::Float32);
  CHECK(promote(DType::Bool, DType::BFloat16) == DType::BFloat16);
  CHECK(promote(DType::Complex64, DType::Float64) == DType::Complex128);
  CHECK(promote(DType::Complex32, DType::BFloat16) == DType::Complex64);
  CHECK(promote(DType::Complex32, DType::Int8) == DType::Complex32);
  CHECK(promote(DType::Float8E4M3Fn, DType::Float8E5M2) == DType::Float32);
  CHECK(promote(DType::Float8E4M3Fn, DType::Float16) == DType::Float32);
  CHECK(promote(DType::UInt8, DType::Int8) == DType::Int64);
  CHECK(promote(DType::UInt32, DType::Int64) == DType::Int64);
  CHECK(promote(DType::UInt64, DType::UInt8) == DType::UInt64);
}

TEST_CASE("where no dtype holds both there is none") {
  CHECK_FALSE(promote(DType::UInt64, DType::Int64));
  CHECK_FALSE(promote(DType::Int8, DType::UInt64));
  CHECK_FALSE(promote(DType::QInt8, DType::Int8));
  CHECK_FALSE(promote(DType::QUInt4x2, DType::Float32));
  CHECK_FALSE(promote(DType::Float4E2M1FnX2, DType::Float32));
  CHECK_FALSE(promote(DType::Bits8, DType::UInt8));
  CHECK(promote(DType::QInt8, DType::QInt8) == DType::QInt8);
  CHECK(promote(DType::Bits8, DType::Bits8) == DType::Bits8);
}

TEST_CASE("the order of two dtypes does not matter") {
  for (const DTypeInfo& a : kDTypes) {
    for (const DTypeInfo& b : kDTypes) {
      CHECK(promote(a.dtype, b.dtype) == promote(b.dtype, a.dtype));
    }
  }
}

TEST_CASE("integers keep their value") {
  CHECK(promoted<std::int64_t>(DType::Int8, DType::Int64, std::vector<std::int8_t>{-128, 127}) ==
        std::vector<std::int64_t>{-128, 127});
  CHECK(promoted<std::int64_t>(DType::UInt32, DType::Int64, std::vector<std::uint32_t>{~0U}) ==
        std::vector<std::int64_t>{4294967295});
  CHECK(promoted<std::uint64_t>(DType::UInt8, DType::UInt64, std::vector<std::uint8_t>{255}) ==
        std::vector<std::uint64_t>{255});
  CHECK(promoted<std::int64_t>(DType::Bool, DType::Int64, std::vector<std::uint8_t>{0, 1, 2}) ==
        std::vector<std::int64_t>{0, 1, 1});
}

TEST_CASE("integers become numbers and complex numbers") {
  CHECK(promoted<float>(DType::Int32, DType::Float32, std::vector<std::int32_t>{-3, 16777217}) ==
        std::vector<float>{-3, 16777216});
  CHECK(promoted<double>(DType::UInt64, DType::Float64, std::vector<std::uint64_t>{~0ULL}) ==
        std::vector<double>{18446744073709551616.0});
  CHECK(promoted<float>(DType::Int16, DType::Complex64, std::vector<std::int16_t>{7, -8}) ==
        std::vector<float>{7, 0, -8, 0});
  CHECK(promoted<std::uint16_t>(DType::Bool, DType::Float16, std::vector<std::uint8_t>{1}) ==
        std::vector<std::uint16_t>{0x3C00});
}

TEST_CASE("numbers become wider ones, and real numbers complex") {
  CHECK(promoted<float>(DType::Float16, DType::Float32, std::vector<std::uint16_t>{0x3C00}) ==
        std::vector<float>{1});
  CHECK(promoted<double>(DType::BFloat16, DType::Float64, std::vector<std::uint16_t>{0xBF80}) ==
        std::vector<double>{-1});
  CHECK(promoted<float>(DType::Float8E5M2, DType::Float32, std::vector<std::uint8_t>{0x3C}) ==
        std::vector<float>{1});
  CHECK(promoted<double>(DType::Float32, DType::Complex128, std::vector<float>{2.5}) ==
        std::vector<double>{2.5, 0});
  CHECK(promoted<double>(DType::Complex64, DType::Complex128, std::vector<float>{1, -2}) ==
        std::vector<double>{1, -2});
}

}  // namespace
}  // namespace ptsd::tensor
