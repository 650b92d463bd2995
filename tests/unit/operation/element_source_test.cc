// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/element_source.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"
#include "checkpoint/gather_source.h"
#include "operation/cast_source.h"

namespace ptsd::operation {
namespace {

// `count` bytes, each its own place.
std::unique_ptr<ByteSource> numbered(std::size_t count) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < count; ++i) {
    bytes.push_back(static_cast<std::byte>(i));
  }
  return std::make_unique<MemorySource>("m.pt", std::move(bytes));
}

// The float32 numbers 0, 1, 2, ... as bfloat16: all of them are exact.
std::unique_ptr<ByteSource> counted(std::uint64_t count) {
  std::vector<float> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0.0F);
  const Bytes bytes = std::as_bytes(std::span(numbers));
  const CastDerivation cast(
      {.from = tensor::DType::Float32, .to = tensor::DType::BFloat16, .count = count, .name = "w"});
  return cast.over(std::make_unique<MemorySource>("m.pt", std::vector(bytes.begin(), bytes.end())));
}

TEST_CASE("elements of every size are gathered alike") {
  for (const unsigned item : {1U, 2U, 4U, 8U, 16U}) {
    CAPTURE(item);
    const checkpoint::GatherDerivation gather(item, {
                                                        {1, {{3, 1}, {2, 5}}},
                                                        {9, {{3, 2}}        }
    });
    const std::unique_ptr<ByteSource> made = gather.over(numbered(15 * item));
    std::vector<std::byte> expected;
    for (const unsigned index : {1U, 6U, 2U, 7U, 3U, 8U, 9U, 11U, 13U}) {
      for (unsigned i = 0; i < item; ++i) {
        expected.push_back(static_cast<std::byte>(index * item + i));
      }
    }
    REQUIRE(made->size() == expected.size());
    CHECK(made->read(0, made->size()) == expected);
  }
}

TEST_CASE("a read that cuts elements has the bytes of the whole ones") {
  const std::unique_ptr<ByteSource> made = counted(100);
  const std::vector<std::byte> whole = made->read(0, made->size());
  REQUIRE(whole.size() == 200);
  CHECK(whole[2] == std::byte{0x80});  // 1.0 is 0x3f80
  CHECK(whole[3] == std::byte{0x3f});
  for (const std::uint64_t block : {1U, 3U, 7U, 64U}) {
    CAPTURE(block);
    std::vector<std::byte> all;
    for (std::uint64_t at = 0; at < whole.size(); at += block) {
      const auto part = made->read(at, std::min(block, whole.size() - at));
      all.insert(all.end(), part.begin(), part.end());
    }
    CHECK(all == whole);
  }
}

TEST_CASE("there is nothing behind the last element") {
  const std::unique_ptr<ByteSource> made = counted(4);
  CHECK(made->read(8, 0).empty());
  CHECK_THROWS_WITH_AS(made->read(7, 2), "m.pt: read of 2 bytes at 7 of 8 that are made", Error);
  CHECK_THROWS_AS(made->read(9, 0), Error);
}

}  // namespace
}  // namespace ptsd::operation
