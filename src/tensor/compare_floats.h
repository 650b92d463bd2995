// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>

#include "tensor/differences.h"
#include "tensor/element_readers.h"
#include "tensor/float_format.h"
#include "tensor/largest_difference.h"
#include "tensor/processor.h"

// Loops that compare floating-point elements, real and complex. Only kernels include this.

namespace ptsd::tensor {

// How results are rounded to the dtype: by loops of their own, since within longer ones g++ 12 does
// not vectorise them. PyTorch rounds atol to the dtype, but not rtol. Two numbers are surely close
// if they are by the margins, whatever is rounded.

// Not, where the dtype is that of the numbers, or one of those that are computed with in float32.
template <class Reader>
struct Exact : Reader {
  using typename Reader::Number;
  static constexpr Number kMargin = 0;
  static constexpr Number kSmall = 0;
  [[gnu::always_inline]] static Number rounded(Number value) { return value; }
  [[gnu::always_inline]] static void round(Block<Number>&) {}
};

template <class Format>
struct Rounded : Narrow<Format> {
  // Four roundings of half a unit in the last place each, and as much of the least number.
  static constexpr float kMargin = 4.0F / (1 << Format::kMantissa);
  static constexpr float kSmall = std::bit_cast<float>(widen<Format>(4));
  [[gnu::always_inline]] static float rounded(float value) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    return std::bit_cast<float>(widen<Format>(narrow<Format>(bits, Format::kBeyond).bits));
  }
  [[gnu::always_inline]] static void round(Block<float>& values) {
    for (float& value : values) {
      value = rounded(value);
    }
  }
};

template <class Type>
class CompareFloats {
 public:
  [[gnu::always_inline]] static void run(const std::byte* a, const std::byte* b, std::size_t count,
                                         std::uint64_t first, const CompareRules& rules,
                                         Differences& differences) {
    CompareFloats compare(rules);
    const bool skip_equal = rules.bits || rules.equal_nan;
    for (std::size_t done = 0; done < count; done += kBlock) {
      const std::size_t now = std::min(kBlock, count - done);
      const std::byte* const left = a + done * sizeof(Bits);
      const std::byte* const right = b + done * sizeof(Bits);
      if (skip_equal && std::memcmp(left, right, now * sizeof(Bits)) == 0) continue;
      compare.load_block(left, right, now);
      if (compare.lenient_ && compare.surely_close()) continue;
      compare.look(first + done, now, differences);
    }
  }

 private:
  using Number = typename Type::Number;
  using Key = KeyOf<Number>;
  using Bits = typename Type::Bits;

  explicit CompareFloats(const CompareRules& rules)
      : rtol_(static_cast<Number>(rules.tolerance.rtol)),
        atol_(Type::rounded(static_cast<Number>(rules.tolerance.atol))),
        bitwise_(mask_if<Key>(rules.bits)),
        nan_matches_(mask_if<Key>(rules.equal_nan)),
        lenient_(!rules.bits && (rules.tolerance.rtol != 0 || rules.tolerance.atol != 0)) {}

  // What stands behind a block that is not full is equal.
  [[gnu::always_inline]] void load_block(const std::byte* __restrict a,
                                         const std::byte* __restrict b, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const Bits left = load<Bits>(a, i);
      const Bits right = load<Bits>(b, i);
      x_[i] = Type::number(left);
      y_[i] = Type::number(right);
      same_bits_[i] = mask_if<Key>(left == right);
    }
    for (std::size_t i = count; i < kBlock; ++i) {
      x_[i] = y_[i] = 0;
      same_bits_[i] = -1;
    }
  }

  [[gnu::always_inline]] bool surely_close() const {
    Key all = -1;
    for (std::size_t i = 0; i < kBlock; ++i) {
      const Number difference = magnitude(x_[i] - y_[i]);
      const Number allowed = atol_ + magnitude(rtol_ * y_[i]);
      const Key close = mask_if<Key>(difference + Type::kSmall + difference * Type::kMargin <=
                                     allowed - allowed * Type::kMargin);
      const Key finite = mask_if<Key>(difference <= std::numeric_limits<Number>::max());
      all &= (close & finite) | mask_if<Key>(x_[i] == y_[i]);
    }
    return all != 0;
  }

  [[gnu::always_inline]] void look(std::uint64_t first, std::size_t count,
                                   Differences& differences) {
    Block<Number> difference;
    Block<Number> ratio;
    for (std::size_t i = 0; i < kBlock; ++i) {
      difference[i] = magnitude(x_[i] - y_[i]);
    }
    Type::round(difference);
    for (std::size_t i = 0; i < kBlock; ++i) {
      ratio[i] = difference[i] / magnitude(y_[i]);
    }
    const Block<Number> allowed = allowed_differences();
    Block<Key> absolute;
    Block<Key> relative;
    Key mismatched = 0;
    Key top_absolute = 0;
    Key top_relative = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      const Key equal = mask_if<Key>(x_[i] == y_[i]);
      const Key both_nan = mask_if<Key>(x_[i] != x_[i]) & mask_if<Key>(y_[i] != y_[i]);
      const Key finite = mask_if<Key>(difference[i] <= std::numeric_limits<Number>::max());
      const Key close = mask_if<Key>(difference[i] <= allowed[i]) & finite;
      const Key as_numbers = equal | (both_nan & nan_matches_) | close;
      const Key mismatch = ~((same_bits_[i] & bitwise_) | (as_numbers & ~bitwise_));
      absolute[i] = difference_key(difference[i]) & mismatch;
      relative[i] = difference_key(ratio[i]) & mismatch;
      mismatched -= mismatch;
      top_absolute = std::max(top_absolute, absolute[i]);
      top_relative = std::max(top_relative, relative[i]);
    }
    if (mismatched == 0) return;
    differences.mismatched += static_cast<std::uint64_t>(mismatched);
    take(absolute, count, extreme_of<Number>(top_absolute), top_absolute, first,
         differences.max_abs);
    take_ratio(ratio, relative, count, top_relative, first, differences.max_rel);
  }

  // None without tolerances.
  [[gnu::always_inline]] Block<Number> allowed_differences() const {
    Block<Number> allowed;
    if (!lenient_) {
      allowed.fill(-1);
      return allowed;
    }
    for (std::size_t i = 0; i < kBlock; ++i) {
      allowed[i] = magnitude(rtol_ * y_[i]);
    }
    Type::round(allowed);
    for (Number& most : allowed) {
      most += atol_;
    }
    Type::round(allowed);
    return allowed;
  }

  // Rounding leaves the largest ratio the largest, but may make others as large: the ratios of a
  // block are rounded where one of them is taken over.
  static void take_ratio(Block<Number>& ratio, Block<Key>& keys, std::size_t count, Key largest,
                         std::uint64_t first, std::optional<Extreme>& extreme) {
    const Key top = difference_key(Type::rounded(number_of<Number>(largest)));
    if (extreme && !is_larger(extreme_of<Number>(top), *extreme)) return;
    Type::round(ratio);
    for (std::size_t i = 0; i < kBlock; ++i) {
      keys[i] = difference_key(ratio[i]) & mask_if<Key>(keys[i] != 0);
    }
    take(keys, count, extreme_of<Number>(top), top, first, extreme);
  }

  Number rtol_;
  Number atol_;
  Key bitwise_;
  Key nan_matches_;
  bool lenient_;
  Block<Number> x_;
  Block<Number> y_;
  Block<Key> same_bits_;
};

// Pairs of numbers; the difference is the distance in the plane.
template <class Type>
struct CompareComplex {
  using Number = typename Type::Number;
  using Bits = typename Type::Bits;

  [[gnu::always_inline]] static void run(const std::byte* __restrict a,
                                         const std::byte* __restrict b, std::size_t count,
                                         std::uint64_t first, const CompareRules& rules,
                                         Differences& differences) {
    const auto rtol = static_cast<Number>(rules.tolerance.rtol);
    const auto atol = Type::rounded(static_cast<Number>(rules.tolerance.atol));
    const bool lenient = rules.tolerance.rtol != 0 || rules.tolerance.atol != 0;
    for (std::size_t i = 0; i < count; ++i) {
      const std::array<Bits, 2> left = {load<Bits>(a, 2 * i), load<Bits>(a, 2 * i + 1)};
      const std::array<Bits, 2> right = {load<Bits>(b, 2 * i), load<Bits>(b, 2 * i + 1)};
      if (left == right && rules.equal_nan) continue;
      const std::array<Number, 2> x = {Type::number(left[0]), Type::number(left[1])};
      const std::array<Number, 2> y = {Type::number(right[0]), Type::number(right[1])};
      const Number difference = length(Type::rounded(x[0] - y[0]), Type::rounded(x[1] - y[1]));
      const Number size = length(y[0], y[1]);
      bool match = x[0] == y[0] && x[1] == y[1];
      match = match || (rules.equal_nan && has_nan(x) && has_nan(y));
      const Number allowed =
          Type::rounded(atol + length(Type::rounded(rtol * y[0]), Type::rounded(rtol * y[1])));
      match = match || (lenient && std::isfinite(difference) && difference <= allowed);
      if (rules.bits ? left == right : match) continue;
      Differences found = {.mismatched = 1};
      found.max_abs = {.value = static_cast<double>(difference), .index = first + i};
      found.max_rel = {.value = static_cast<double>(Type::rounded(difference / size)),
                       .index = first + i};
      differences.merge(found);
    }
  }

 private:
  static Number length(Number real, Number imaginary) {
    return Type::rounded(static_cast<Number>(std::hypot(real, imaginary)));
  }

  static bool has_nan(const std::array<Number, 2>& value) {
    return std::isnan(value[0]) || std::isnan(value[1]);
  }
};

}  // namespace ptsd::tensor
