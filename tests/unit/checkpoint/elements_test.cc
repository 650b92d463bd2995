// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/elements.h"

#include <array>
#include <cstring>
#include <numeric>
#include <vector>

#include <doctest/doctest.h>

namespace ptsd::checkpoint {
namespace {

using tensor::DType;

template <class T>
std::unique_ptr<ByteSource> storage_of(const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  return std::make_unique<MemorySource>("m", std::vector<std::byte>(bytes.begin(), bytes.end()));
}

template <class T>
std::vector<T> values_of(const Tensor& tensor, const std::vector<std::int64_t>& shape,
                         const std::vector<std::int64_t>& stride, const std::vector<T>& storage,
                         bool big_endian = false) {
  const auto source =
      element_source(tensor, {tensor.offset, shape, stride}, storage_of(storage), big_endian);
  std::vector<T> values(source->size() / sizeof(T));
  source->read(0, std::as_writable_bytes(std::span(values)));
  return values;
}

std::vector<std::int32_t> counting(int count) {
  std::vector<std::int32_t> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

TEST_CASE("elements come in row-major order whatever the strides") {
  const Tensor tensor = {.offset = 1, .dtype = DType::Int32};
  using Ints = std::vector<std::int32_t>;
  CHECK(values_of(tensor, {2, 3}, {3, 1}, counting(7)) == Ints{1, 2, 3, 4, 5, 6});
  CHECK(values_of(tensor, {3, 2}, {1, 3}, counting(7)) == Ints{1, 4, 2, 5, 3, 6});
  CHECK(values_of(tensor, {2, 2}, {0, 2}, counting(7)) == Ints{1, 3, 1, 3});
  CHECK(values_of(tensor, {3, 2}, {1, 1}, counting(7)) == Ints{1, 2, 2, 3, 3, 4});
  CHECK(values_of(tensor, {}, {}, counting(7)) == Ints{1});
  CHECK(values_of(tensor, {2, 0}, {1, 1}, counting(7)).empty());
}

TEST_CASE("a conjugate view shows the stored numbers with the other sign of the imaginary part") {
  const Tensor tensor = {.dtype = DType::Complex64, .conj = true};
  const std::vector<std::array<float, 2>> storage = {
      {1, 2 },
      {3, -4}
  };
  CHECK(values_of(tensor,
                  {
                      2
  },
                  {1}, storage) == std::vector<std::array<float, 2>>{{1, -2}, {3, 4}});
}

TEST_CASE("a negative view shows the stored numbers with the other sign") {
  const Tensor floats = {.dtype = DType::Float64, .neg = true};
  CHECK(values_of<double>(floats, {3}, {1}, {1, -2, 0.5}) == std::vector<double>{-1, 2, -0.5});
  const Tensor integers = {.dtype = DType::Int16, .neg = true};
  CHECK(values_of<std::int16_t>(integers, {4}, {1}, {0, 1, -256, 257}) ==
        std::vector<std::int16_t>{0, -1, 256, -257});
}

TEST_CASE("elements of a big-endian file are turned, each half of a complex number by itself") {
  const Tensor shorts = {.dtype = DType::Int16};
  CHECK(values_of<std::int16_t>(shorts, {2}, {1}, {0x0102, 0x0304}, true) ==
        std::vector<std::int16_t>{0x0201, 0x0403});
  const Tensor complex = {.dtype = DType::Complex32};
  using Halves = std::vector<std::array<std::uint16_t, 2>>;
  CHECK(values_of(complex,
                  {
                      1
  },
                  {1}, Halves{{0x0102, 0x0304}}, true) == Halves{{0x0201, 0x0403}});
}

}  // namespace
}  // namespace ptsd::checkpoint
