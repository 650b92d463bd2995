// SPDX-License-Identifier: Apache-2.0
#include "tensor/compare_kernels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

#include "tensor/float_format.h"
#include "tensor/processor.h"

namespace ptsd::tensor {
namespace {

// Elements at a time: what is computed of them fits the first-level cache.
constexpr std::size_t kBlock = 512;

template <class T>
using Block = std::array<T, kBlock>;

// Floats, their sign apart, as integers that order as they do, plus 1; all NaN are alike and above
// all else. 0 stands for elements that match.
template <class Number>
using KeyOf = std::conditional_t<sizeof(Number) == 4, std::int32_t, std::int64_t>;

template <class Number>
constexpr auto kInfinity = std::bit_cast<KeyOf<Number>>(std::numeric_limits<Number>::infinity());

template <class Number>
[[gnu::always_inline]] inline KeyOf<Number> key_of(Number difference) {
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

// How each floating-point dtype is read and computed with. Results are rounded to the dtype by
// loops of their own: within longer ones g++ 12 does not vectorise them. PyTorch rounds atol to the
// dtype, but not rtol. Two numbers are surely close if they are by the margins, whatever is
// rounded.

template <class N, class B>
struct Native {
  using Number = N;
  using Bits = B;
  static constexpr Number kMargin = 0;
  static constexpr Number kSmall = 0;
  [[gnu::always_inline]] static Number widened(Bits bits) { return std::bit_cast<Number>(bits); }
  [[gnu::always_inline]] static Number rounded(Number value) { return value; }
  [[gnu::always_inline]] static void round(Block<Number>&) {}
};

template <class Format>
struct Rounded {
  using Number = float;
  using Bits = typename Format::Bits;
  // Four roundings of half a unit in the last place each, and as much of the least number.
  static constexpr float kMargin = 4.0F / (1 << Format::kMantissa);
  static constexpr float kSmall = std::bit_cast<float>(widen<Format>(4));
  [[gnu::always_inline]] static float widened(Bits bits) {
    return std::bit_cast<float>(widen<Format>(bits));
  }
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

// Computed with in float32.
template <class Format>
struct ByTable {
  using Number = float;
  using Bits = std::uint8_t;
  static constexpr float kMargin = 0;
  static constexpr float kSmall = 0;
  [[gnu::always_inline]] static float widened(Bits bits) {
    return std::bit_cast<float>(kWidened<Format>[bits]);
  }
  [[gnu::always_inline]] static float rounded(float value) { return value; }
  [[gnu::always_inline]] static void round(Block<float>&) {}
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
      x_[i] = Type::widened(left);
      y_[i] = Type::widened(right);
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
      absolute[i] = key_of(difference[i]) & mismatch;
      relative[i] = key_of(ratio[i]) & mismatch;
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
    const Key top = key_of(Type::rounded(number_of<Number>(largest)));
    if (extreme && !is_larger(extreme_of<Number>(top), *extreme)) return;
    Type::round(ratio);
    for (std::size_t i = 0; i < kBlock; ++i) {
      keys[i] = key_of(ratio[i]) & mask_if<Key>(keys[i] != 0);
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

// Any byte but 0 is True.
struct Boolean {
  std::uint8_t byte;

  friend bool operator==(Boolean, Boolean) = default;
  explicit operator std::int32_t() const { return byte != 0 ? 1 : 0; }
};

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
      relative[i] = key_of(difference[i] / size[i]) & mismatch[i];
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
      const std::array<Number, 2> x = {Type::widened(left[0]), Type::widened(left[1])};
      const std::array<Number, 2> y = {Type::widened(right[0]), Type::widened(right[1])};
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

template <class Processor, class Loop>
constexpr CompareKernel kKernel =
    Processor::template run<Loop, void, const std::byte*, const std::byte*, std::size_t,
                            std::uint64_t, const CompareRules&, Differences&>;

using Float = Native<float, std::uint32_t>;
using Double = Native<double, std::uint64_t>;

// As stored, in a byte of their own.
template <class P>
constexpr CompareKernel kUnsignedByte = kKernel<P, CompareIntegers<std::uint8_t, std::int32_t>>;
template <class P>
constexpr CompareKernel kSignedByte = kKernel<P, CompareIntegers<std::int8_t, std::int32_t>>;
template <class P>
constexpr CompareKernel kPackedByte = kKernel<P, CompareBits<std::uint8_t>>;

template <class P>
constexpr auto kRows = std::to_array<CompareRow>({
    {DType::UInt8,                           kUnsignedByte<P>              },
    {DType::Int8,                            kSignedByte<P>                },
    {DType::Int16,                           kKernel<P,                      CompareIntegers<std::int16_t, std::int32_t>>},
    {DType::Int32,                        kKernel<P,                                                      CompareIntegers<std::int32_t, std::int64_t>>},
    {DType::Int64,      kKernel<P,CompareIntegers<std::int64_t, std::int64_t>>},
    {DType::Float16,                                      kKernel<P,                                                         CompareFloats<Rounded<Float16>>>},
    {DType::Float32,          kKernel<P,                                                                        CompareFloats<Float>>},
    {DType::Float64,                         kKernel<P,         CompareFloats<Double>>},
    {DType::Complex32,                                      kKernel<P,                                                       CompareComplex<Rounded<Float16>>>},
    {DType::Complex64,                 kKernel<P,CompareComplex<Float>>},
    {DType::Complex128,     kKernel<P,     CompareComplex<Double>>},
    {DType::Bool,                       kKernel<P,       CompareIntegers<Boolean, std::int32_t>>},
    {DType::QInt8,                                      kSignedByte<P>                                                    },
    {DType::QUInt8,                kUnsignedByte<P>                                                                      },
    {DType::QInt32,                         kKernel<P,                            CompareIntegers<std::int32_t, std::int64_t>>},
    {DType::BFloat16,                            kKernel<P,                           CompareFloats<Rounded<BFloat16>>>},
    {DType::QUInt4x2,                        kPackedByte<P>                                                     },
    {DType::QUInt2x4,kPackedByte<P>},
    {DType::Bits1x8,       kPackedByte<P>},
    {DType::Bits2x4,     kPackedByte<P>},
    {DType::Bits4x2,                                      kPackedByte<P>                                                     },
    {DType::Bits8,     kPackedByte<P>        },
    {DType::Bits16, kKernel<P,CompareBits<std::uint16_t>>},
    {DType::Float8E5M2,                                      kKernel<P,                                                                                                        CompareFloats<ByTable<Float8E5M2>>>},
    {DType::Float8E4M3Fn,                  kKernel<P,                                                                                  CompareFloats<ByTable<Float8E4M3Fn>>>},
    {DType::Float8E5M2Fnuz,                    kKernel<P,                                                                       CompareFloats<ByTable<Float8E5M2Fnuz>>>},
    {DType::Float8E4M3Fnuz,kKernel<P,CompareFloats<ByTable<Float8E4M3Fnuz>>>},
    {DType::UInt16,                    kKernel<P,                                          CompareIntegers<std::uint16_t, std::int32_t>>},
    {DType::UInt32,                             kKernel<P,                                                       CompareIntegers<std::uint32_t, std::int64_t>>},
    {DType::UInt64,                      kKernel<P,      CompareIntegers<std::uint64_t, std::uint64_t>>},
    {DType::UInt1,                                      kUnsignedByte<P>                                                 },
    {DType::UInt2, kUnsignedByte<P>},
    {DType::UInt3,          kUnsignedByte<P>},
    {DType::UInt4,                  kUnsignedByte<P>                                                    },
    {DType::UInt5,                                      kUnsignedByte<P>                                                       },
    {DType::UInt6,         kUnsignedByte<P>},
    {DType::UInt7,                          kUnsignedByte<P>                  },
    {DType::Int1,                        kSignedByte<P>                                                     },
    {DType::Int2,        kSignedByte<P>   },
    {DType::Int3,                                      kSignedByte<P>                                                        },
    {DType::Int4,                                      kSignedByte<P>       },
    {DType::Int5,                                      kSignedByte<P>                                                                                                           },
    {DType::Int6,                                      kSignedByte<P>                                                                                                                              },
    {DType::Int7,                                      kSignedByte<P>    },
    {DType::Float8E8M0Fnu,                                      kKernel<P,  CompareFloats<ByTable<Float8E8M0Fnu>>>},
    {DType::Float4E2M1FnX2,                                      kPackedByte<P>                                                                         },
});

template <class P>
consteval bool rows_in_order() {
  for (std::size_t i = 0; i < kRows<P>.size(); ++i) {
    if (kRows<P>[i].dtype != static_cast<DType>(i)) return false;
  }
  return kRows<P>.size() == kDTypes.size();
}
static_assert(rows_in_order<AnyProcessor>(), "kRows is indexed by DType");

template <class P>
constexpr CompareTable kTable = {.runs_here = P::runs_here, .rows = kRows<P>};

constexpr auto kTables = std::to_array<CompareTable>({
#if defined(__x86_64__)
  kTable<Avx512>, kTable<Avx2>,
#endif
      kTable<AnyProcessor>,
});

}  // namespace

std::span<const CompareTable> compare_tables() {
  return kTables;
}

CompareKernel find_compare_kernel(DType dtype) {
  static const std::span<const CompareRow> rows =
      std::ranges::find_if(kTables, [](const CompareTable& table) {
        return table.runs_here();
      })->rows;
  return rows[static_cast<std::size_t>(dtype)].kernel;
}

}  // namespace ptsd::tensor
