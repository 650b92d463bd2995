// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace ptsd::tensor {

// What a run of elements is like. Sums are kept wide enough for any run of float64: no overflow,
// and a billion float32 lose nothing that float64 would keep.
struct Summary {
  std::uint64_t count = 0;   // elements
  std::uint64_t finite = 0;  // of these
  std::uint64_t zeros = 0;
  std::uint64_t nan = 0;
  std::uint64_t inf = 0;
  // Of the finite elements; without meaning where there is none. 64-bit integers are exact.
  long double min = 0;
  long double max = 0;
  long double sum = 0;
  long double squares = 0;  // of the distances from the mean

  double mean() const;
  // Unbiased: NaN for less than two finite elements.
  double standard_deviation() const;

  void merge(const Summary& other);
};

}  // namespace ptsd::tensor
