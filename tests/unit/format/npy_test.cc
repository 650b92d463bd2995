// SPDX-License-Identifier: Apache-2.0
#include "format/npy.h"

#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"

namespace ptsd::format {
namespace {

using tensor::DType;

std::string header(DType dtype, const std::vector<std::int64_t>& shape) {
  return npy_header(dtype, shape);
}

// As numpy 2 writes it: room for the first size to grow, then padding to 64 bytes and a newline.
TEST_CASE("a header is a dict literal, padded to a multiple of 64 bytes") {
  const std::string text = header(DType::Float32, {2, 3});
  CHECK(text.size() == 128);
  CHECK(text.starts_with(std::string("\x93NUMPY\1\0\x76\0", 10) +
                         "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }  "));
  CHECK(text.find_first_not_of(' ', 70) == 127);
  CHECK(text.back() == '\n');
}

TEST_CASE("tuples of no and of one size read as Python writes them") {
  CHECK(header(DType::Int64, {}).find("'shape': (), }") != std::string::npos);
  CHECK(header(DType::Int64, {7}).find("'shape': (7,), }") != std::string::npos);
}

TEST_CASE("single bytes have no byte order") {
  CHECK(header(DType::Bool, {1}).find("'|b1'") != std::string::npos);
  CHECK(header(DType::Int8, {1}).find("'|i1'") != std::string::npos);
  CHECK(header(DType::Complex128, {1}).find("'<c16'") != std::string::npos);
}

TEST_CASE("the padding is never empty, and the size is of what follows it") {
  for (std::int64_t size = 1; size < 1'000'000'000'000'000'000; size *= 10) {
    for (std::size_t rank = 1; rank < 12; ++rank) {
      const std::string text = header(DType::Float64, std::vector<std::int64_t>(rank, size));
      CHECK(text.size() % 64 == 0);
      const auto low = static_cast<unsigned char>(text[8]);
      const auto high = static_cast<unsigned char>(text[9]);
      CHECK(low + 256u * high == text.size() - 10);
      CHECK(text[text.size() - 2] == ' ');
    }
  }
}

TEST_CASE("a shape that is too long for version 1.0 makes version 2.0") {
  const std::string text = header(DType::Float64, std::vector<std::int64_t>(22'000, 1));
  CHECK(text.starts_with("\x93NUMPY\2"));
  CHECK(text.size() % 64 == 0);
}

TEST_CASE("dtypes that numpy has not are refused") {
  for (const DType dtype : {DType::BFloat16, DType::Complex32, DType::Float8E5M2, DType::QInt8,
                            DType::Bits8, DType::UInt4}) {
    CHECK_FALSE(has_npy_dtype(dtype));
    CHECK_THROWS_AS(header(dtype, {1}), Error);
  }
}

TEST_CASE("elements follow the header") {
  MemorySink sink;
  const MemorySource elements("x", std::vector<std::byte>(3, std::byte{5}));
  write_npy(sink, DType::UInt8, std::vector<std::int64_t>{3}, elements);
  CHECK(sink.bytes().size() == 131);
  CHECK(sink.bytes().back() == std::byte{5});
}

}  // namespace
}  // namespace ptsd::format
