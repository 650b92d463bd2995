// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>

#include "tensor/differences.h"
#include "tensor/element_readers.h"

// The largest difference of a block, as compare_floats.h and compare_integers.h find it. Only
// kernels include this.

namespace ptsd::tensor {

template <class Number>
inline constexpr auto kInfinity =
    std::bit_cast<KeyOf<Number>>(std::numeric_limits<Number>::infinity());

// Floats, their sign apart, as integers that order as they do, plus 1; all NaN are alike and above
// all else. 0 stands for elements that match.
template <class Number>
[[gnu::always_inline]] inline KeyOf<Number> difference_key(Number difference) {
  // What inf / inf makes has the sign bit on some processors.
  constexpr auto kAllButSign = std::numeric_limits<KeyOf<Number>>::max();
  const KeyOf<Number> bits = std::bit_cast<KeyOf<Number>>(difference) & kAllButSign;
  return (bits > kInfinity<Number> ? kInfinity<Number> + 1 : bits) + 1;
}

template <class Number>
Number number_of(KeyOf<Number> key) {
  return std::bit_cast<Number>(static_cast<KeyOf<Number>>(key - 1));
}

template <class Number>
Extreme extreme_of(KeyOf<Number> key) {
  return {.value = static_cast<double>(number_of<Number>(key))};
}

template <class Number>
[[gnu::always_inline]] inline Number magnitude(Number value) {
  using Key = KeyOf<Number>;
  return std::bit_cast<Number>(std::bit_cast<Key>(value) & std::numeric_limits<Key>::max());
}

// Takes over the largest key, and finds where it first stands, if it is above what was found
// before.
template <class Key>
void take(const Block<Key>& keys, std::size_t count, Extreme top, Key key, std::uint64_t first,
          std::optional<Extreme>& extreme) {
  if (extreme && !is_larger(top, *extreme)) return;
  const auto end = keys.begin() + static_cast<std::ptrdiff_t>(count);
  top.index = first + static_cast<std::uint64_t>(std::find(keys.begin(), end, key) - keys.begin());
  extreme = top;
}

}  // namespace ptsd::tensor
