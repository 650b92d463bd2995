// SPDX-License-Identifier: Apache-2.0
#include "tensor/layout.h"

#include <cstdint>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

namespace ptsd::tensor {
namespace {

using Sizes = std::vector<std::int64_t>;

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

TEST_CASE("an element count that wraps is nothing, and a zero size settles it") {
  CHECK(element_count(Sizes{}) == 1);
  CHECK(element_count(Sizes{2, 3}) == 6);
  CHECK(!element_count(Sizes{kHuge, 3}));
  CHECK(!element_count(Sizes{std::int64_t{1} << 32, std::int64_t{1} << 32}));
  CHECK(element_count(Sizes{kHuge, 0, kHuge}) == 0);
}

TEST_CASE("bytes count storage elements, packed row by row") {
  CHECK(byte_count(Sizes{2, 3}, DType::Float32) == 24);
  CHECK(byte_count(Sizes{}, DType::Complex128) == 16);
  CHECK(byte_count(Sizes{2, 4}, DType::QUInt4x2) == 4);
  CHECK(byte_count(Sizes{2, 3}, DType::QUInt4x2) == 4);
  CHECK(byte_count(Sizes{3, 5}, DType::QUInt2x4) == 6);
  CHECK(byte_count(Sizes{3, 0}, DType::QUInt2x4) == 0);
  CHECK(!byte_count(Sizes{std::int64_t{1} << 61}, DType::Float64));
}

TEST_CASE("the end element follows offset, sizes and strides") {
  CHECK(end_element(3, Sizes{3}, Sizes{1}) == 6);
  CHECK(end_element(0, Sizes{4, 3}, Sizes{0, 1}) == 3);
  CHECK(end_element(5, Sizes{}, Sizes{}) == 6);
  CHECK(end_element(100, Sizes{0, kHuge}, Sizes{kHuge, kHuge}) == 0);
  CHECK(!end_element(0, Sizes{kHuge}, Sizes{kHuge}));
  CHECK(!end_element(std::numeric_limits<std::uint64_t>::max(), Sizes{1}, Sizes{1}));
}

TEST_CASE("contiguous is torch's word for row-major") {
  CHECK(is_contiguous(Sizes{2, 3}, Sizes{3, 1}));
  CHECK(!is_contiguous(Sizes{2, 3}, Sizes{1, 2}));
  CHECK(is_contiguous(Sizes{1, 3}, Sizes{77, 1}));
  CHECK(is_contiguous(Sizes{0, 3}, Sizes{5, 9}));
  CHECK(is_contiguous(Sizes{}, Sizes{}));
  CHECK(!is_contiguous(Sizes{4, 3}, Sizes{0, 1}));
  CHECK(!is_contiguous(Sizes{1, 2, 2, 2}, Sizes{8, 1, 4, 2}));
}

}  // namespace
}  // namespace ptsd::tensor
