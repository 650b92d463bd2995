// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

// What a comparison of elements is told, and what it finds.

namespace ptsd::tensor {

// Both zero: equality as numbers.
struct Tolerance {
  double rtol = 0;
  double atol = 0;
};

struct CompareRules {
  bool bits = false;  // equal bits alone are equal; tolerances do not count
  bool equal_nan = true;
  Tolerance tolerance = {};
};

// The largest of the differences between mismatched elements; a NaN is larger than all.
struct Extreme {
  double value = 0;
  std::uint64_t index = 0;      // of the element, the first where several are as large
  std::uint64_t magnitude = 0;  // the value, where elements are integers
};

bool is_larger(const Extreme& a, const Extreme& b);

// What two runs of elements differ in.
struct Differences {
  std::uint64_t mismatched = 0;         // elements; storage elements of packed dtypes
  std::optional<Extreme> max_abs = {};  // |a - b|; nothing for dtypes that are no numbers
  std::optional<Extreme> max_rel = {};  // |a - b| / |b|

  // Adds those of elements further behind.
  void merge(const Differences& later);
};

}  // namespace ptsd::tensor
