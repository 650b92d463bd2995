// SPDX-License-Identifier: Apache-2.0
#include "base/segmented.h"

#include <numeric>
#include <vector>

#include <doctest/doctest.h>

namespace ptsd {
namespace {

TEST_CASE("a segmented vector keeps references good while it grows") {
  SegmentedVector<int> values;
  values.push_back(7);
  const int& first = values[0];
  for (int i = 1; i < 100'000; ++i) {
    values.push_back(i);
  }
  CHECK(&first == &values[0]);
  CHECK(first == 7);
  CHECK(values[99'999] == 99'999);
  CHECK(values.size() == 100'000);
}

TEST_CASE("runs of any length are contiguous and stay where they are") {
  SpanArena<int> arena;
  std::vector<int> large(kSegmentSize * 3);
  std::iota(large.begin(), large.end(), 0);
  const std::vector<int> small = {1, 2, 3};
  const auto first = arena.store(small);
  const auto second = arena.store(large);
  for (std::size_t i = 0; i < kSegmentSize; ++i) {
    arena.store(small);
  }
  CHECK(std::vector<int>(first.begin(), first.end()) == small);
  CHECK(std::vector<int>(second.begin(), second.end()) == large);
  CHECK(arena.store({}).empty());
}

}  // namespace
}  // namespace ptsd
