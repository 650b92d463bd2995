// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tensor/differences.h"
#include "tensor/element_readers.h"
#include "tensor/largest_difference.h"
#include "tensor/processor.h"

// Loops that compare integers, and elements that are no numbers. Only kernels include this.

namespace ptsd::tensor {

// Integers, in lanes that hold their differences.
template <class T, class Wide>
struct CompareIntegers {
  using Distance = std::make_unsigned_t<Wide>;

  [[gnu::always_inline]] static void run(const std::byte* a, const std::byte* b, std::size_t count,
                                         std::uint64_t first, const CompareRules& rules,
                                         Differences& differences) {
    for (std::size_t done = 0; done < count; done += kBlock) {
      const std::size_t now = std::min(kBlock, count - done);
      const std::byte* const left = a + done * sizeof(T);
      const std::byte* const right = b + done * sizeof(T);
      if (std::memcmp(left, right, now * sizeof(T)) == 0) continue;
      look(left, right, now, first + done, rules, differences);
    }
  }

 private:
  [[gnu::always_inline]] static Distance distance(Wide x, Wide y) {
    const auto up = static_cast<Distance>(static_cast<Distance>(x) - static_cast<Distance>(y));
    return x > y ? up : static_cast<Distance>(0 - up);
  }

  [[gnu::always_inline]] static void look(const std::byte* __restrict a,
                                          const std::byte* __restrict b, std::size_t count,
                                          std::uint64_t first, const CompareRules& rules,
                                          Differences& differences) {
    const auto rtol = static_cast<float>(rules.tolerance.rtol);
    const auto atol = static_cast<float>(rules.tolerance.atol);
    const std::int32_t lenient = mask_if<std::int32_t>(!rules.bits && (rtol != 0 || atol != 0));
    const std::int32_t bitwise = mask_if<std::int32_t>(rules.bits);
    Block<Wide> x = {};
    Block<Wide> y = {};
    Block<std::int32_t> mismatch = {};
    for (std::size_t i = 0; i < count; ++i) {
      const T left = load<T>(a, i);
      const T right = load<T>(b, i);
      x[i] = static_cast<Wide>(left);
      y[i] = static_cast<Wide>(right);
      mismatch[i] = (mask_if<std::int32_t>(!(left == right)) & bitwise) |
                    (mask_if<std::int32_t>(x[i] != y[i]) & ~bitwise);
    }
    Block<Distance> absolute;
    Block<float> difference;
    Block<float> size;
    for (std::size_t i = 0; i < kBlock; ++i) {
      absolute[i] = distance(x[i], y[i]);
      difference[i] = static_cast<float>(absolute[i]);
      size[i] = static_cast<float>(distance(y[i], 0));
    }
    Block<std::int32_t> relative;
    std::int32_t mismatched = 0;
    std::int32_t top_relative = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      const float apart = magnitude(static_cast<float>(x[i]) - static_cast<float>(y[i]));
      mismatch[i] &= ~(mask_if<std::int32_t>(apart <= atol + magnitude(rtol * size[i])) & lenient);
      relative[i] = difference_key(difference[i] / size[i]) & mismatch[i];
      mismatched -= mismatch[i];
      top_relative = std::max(top_relative, relative[i]);
    }
    if (mismatched == 0) return;
    Distance top_absolute = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      absolute[i] = mismatch[i] != 0 ? absolute[i] : 0;
      top_absolute = std::max(top_absolute, absolute[i]);
    }
    differences.mismatched += static_cast<std::uint64_t>(mismatched);
    const Extreme extreme = {.value = static_cast<double>(top_absolute), .magnitude = top_absolute};
    if (top_absolute > 0) {
      take(absolute, count, extreme, top_absolute, first, differences.max_abs);
    } else {  // True in other bits
      take(mismatch, count, extreme, -1, first, differences.max_abs);
    }
    take(relative, count, extreme_of<float>(top_relative), top_relative, first,
         differences.max_rel);
  }
};

// What is no number: storage elements that differ.
template <class T>
struct CompareBits {
  [[gnu::always_inline]] static void run(const std::byte* __restrict a,
                                         const std::byte* __restrict b, std::size_t count,
                                         std::uint64_t, const CompareRules&,
                                         Differences& differences) {
    for (std::size_t i = 0; i < count; ++i) {
      differences.mismatched += load<T>(a, i) != load<T>(b, i);
    }
  }
};

}  // namespace ptsd::tensor
