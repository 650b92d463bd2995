// SPDX-License-Identifier: Apache-2.0
#include "tensor/scalar.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <vector>

#include <doctest/doctest.h>

namespace ptsd::tensor {
namespace {

template <class T>
Scalar scalar(DType dtype, std::initializer_list<T> parts) {
  std::vector<std::byte> bytes(parts.size() * sizeof(T));
  std::memcpy(bytes.data(), parts.begin(), bytes.size());
  return scalar_at(dtype, bytes);
}

double real(DType dtype, unsigned bits) {
  return info(dtype).item_size == 1
             ? std::get<double>(scalar(dtype, {static_cast<std::uint8_t>(bits)}))
             : std::get<double>(scalar(dtype, {static_cast<std::uint16_t>(bits)}));
}

TEST_CASE("every dtype has a class, and its elements are numbers of that class") {
  for (const DTypeInfo& row : kDTypes) {
    CAPTURE(row.name);
    const std::vector<std::byte> zero(row.item_size);
    CHECK(scalar_at(row.dtype, zero).index() == static_cast<std::size_t>(number_class(row.dtype)));
    CHECK(is_floating(row.dtype) == (number_class(row.dtype) == NumberClass::Floating));
  }
}

TEST_CASE("integers keep their sign and all their digits") {
  CHECK(std::get<std::int64_t>(scalar(DType::Int8, {std::int8_t{-1}})) == -1);
  CHECK(std::get<std::uint64_t>(scalar(DType::UInt8, {std::uint8_t{255}})) == 255);
  CHECK(std::get<std::int64_t>(scalar(DType::Int64, {INT64_MIN})) == INT64_MIN);
  CHECK(std::get<std::uint64_t>(scalar(DType::UInt64, {UINT64_MAX})) == UINT64_MAX);
  CHECK(std::get<std::int64_t>(scalar(DType::QInt32, {std::int32_t{-7}})) == -7);
  CHECK(std::get<std::uint64_t>(scalar(DType::Bits16, {std::uint16_t{0xFFFE}})) == 0xFFFE);
}

TEST_CASE("a bool is anything but zero") {
  CHECK_FALSE(std::get<bool>(scalar(DType::Bool, {std::uint8_t{0}})));
  CHECK(std::get<bool>(scalar(DType::Bool, {std::uint8_t{2}})));
}

TEST_CASE("floating numbers become doubles without loss") {
  CHECK(std::get<double>(scalar(DType::Float32, {0.1f})) == 0.10000000149011612);
  CHECK(std::get<double>(scalar(DType::Float64, {5e-324})) == 5e-324);
  CHECK(real(DType::Float16, 0x0001) == 0x1p-24);
  CHECK(real(DType::Float16, 0xFBFF) == -65504);
  CHECK(real(DType::BFloat16, 0x3F80) == 1);
  CHECK(real(DType::Float8E5M2, 0x7B) == 57344);
  CHECK(real(DType::Float8E4M3Fn, 0x7E) == 448);
  CHECK(std::isnan(real(DType::Float8E4M3Fnuz, 0x80)));
  CHECK(real(DType::Float8E8M0Fnu, 0) == 0x1p-127);
  CHECK(std::isnan(real(DType::Float8E8M0Fnu, 0xFF)));
  CHECK(real(DType::Float4E2M1FnX2, 0x37) == 0x37);
}

TEST_CASE("complex numbers have their real part first") {
  CHECK(std::get<std::complex<double>>(scalar(DType::Complex64, {1.5f, -2.0f})) ==
        std::complex<double>(1.5, -2));
  CHECK(std::get<std::complex<double>>(
            scalar(DType::Complex32, {std::uint16_t{0x3C00}, std::uint16_t{0xC000}})) ==
        std::complex<double>(1, -2));
}

}  // namespace
}  // namespace ptsd::tensor
