// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>

// The floating-point formats narrower than float32, and the way from their bits to those of
// float32 and back, to the nearest and ties to even, as PyTorch's scalar types have it
// (torch/headeronly/util). Without branches, so that loops over these functions vectorise.
//
//   sign (1) | exponent | mantissa        (-1)^s * 2^(e - bias) * 1.m
//                                         (-1)^s * 2^(1 - bias) * 0.m     where e is 0

namespace ptsd::tensor {

// What stands where a format has no number.
enum class Specials {
  Ieee,          // the highest exponent: infinity if the mantissa is 0, else NaN
  OneNan,        // "fn": all bits but the sign; no infinity
  NegativeZero,  // "fnuz": the bits of -0 are the only NaN; no infinity
};

template <std::unsigned_integral T, int kExponentSize, int kExponentBias, Specials kWhich>
struct FloatFormat {
  using Bits = T;
  static constexpr Specials kSpecials = kWhich;
  static constexpr int kSize = static_cast<int>(8 * sizeof(T));
  static constexpr int kMantissa = kSize - 1 - kExponentSize;  // bits
  static constexpr int kBias = kExponentBias;
  static constexpr std::uint32_t kSign = std::uint32_t{1} << (kSize - 1);
  static constexpr std::uint32_t kIeeeInfinity = kSign - (1u << kMantissa);
  // The largest number, without its sign.
  static constexpr std::uint32_t kLargest = kSpecials == Specials::Ieee     ? kIeeeInfinity - 1
                                            : kSpecials == Specials::OneNan ? kSign - 2
                                                                            : kSign - 1;
  // What infinity becomes, and every number that is nearer to it. With one NaN PyTorch 2.13 takes
  // the largest number; earlier releases took the NaN.
  static constexpr std::uint32_t kBeyond = kSpecials == Specials::OneNan ? kLargest : kLargest + 1;
};

using Float16 = FloatFormat<std::uint16_t, 5, 15, Specials::Ieee>;
using BFloat16 = FloatFormat<std::uint16_t, 8, 127, Specials::Ieee>;
using Float8E5M2 = FloatFormat<std::uint8_t, 5, 15, Specials::Ieee>;
using Float8E4M3Fn = FloatFormat<std::uint8_t, 4, 7, Specials::OneNan>;
using Float8E5M2Fnuz = FloatFormat<std::uint8_t, 5, 16, Specials::NegativeZero>;
using Float8E4M3Fnuz = FloatFormat<std::uint8_t, 4, 8, Specials::NegativeZero>;

// Eight bits of exponent and nothing else: the powers of two from 2^-127 to 2^127, and a NaN.
struct Float8E8M0Fnu {
  using Bits = std::uint8_t;
  static constexpr std::uint32_t kLargest = 0xFE;
  static constexpr std::uint32_t kBeyond = 0xFF;  // the NaN
};

namespace float32 {
inline constexpr int kMantissa = 23;
inline constexpr int kBias = 127;
inline constexpr std::uint32_t kSign = 0x80000000;
inline constexpr std::uint32_t kInfinity = 0x7F800000;
inline constexpr std::uint32_t kLargest = 0x7F7FFFFF;
inline constexpr std::uint32_t kQuiet = 0x00400000;
inline constexpr std::uint32_t kSignalingNan = 0x7F800001;

constexpr std::uint32_t exponent(int value) {
  return static_cast<std::uint32_t>(value) << kMantissa;
}
}  // namespace float32

// A number in a narrower format; `left` is 1 if it was finite and left the range of that format.
struct Narrowed {
  std::uint32_t bits;
  std::uint32_t left;
};

// `yes` if the condition holds, else `no`; a branch would keep loops from being vectorised.
[[gnu::always_inline]] constexpr std::uint32_t choose(bool condition, std::uint32_t yes,
                                                      std::uint32_t no) {
  return no ^ ((yes ^ no) & (0 - static_cast<std::uint32_t>(condition)));
}

// The bits of a NaN, the sign apart. Float16 keeps what fits of the payload, as the F16C
// instructions do; bfloat16 and the 8-bit formats have one NaN.
template <class Format>
[[gnu::always_inline]] constexpr std::uint32_t narrow_nan(std::uint32_t magnitude) {
  if constexpr (Format::kSpecials == Specials::NegativeZero) return Format::kSign;
  if constexpr (Format::kMantissa == Float16::kMantissa) {
    return Float16::kIeeeInfinity | 0x200 | (magnitude >> 13 & 0x1FF);
  }
  if constexpr (Format::kMantissa == BFloat16::kMantissa) return 0x7FC0;
  return Format::kSign - 1;
}

// The nearest number without its sign, beyond kLargest if there is none.
template <class Format>
[[gnu::always_inline]] constexpr std::uint32_t round(std::uint32_t magnitude) {
  constexpr int kShift = float32::kMantissa - Format::kMantissa;
  constexpr int kRebias = float32::kBias - Format::kBias;
  constexpr std::uint32_t kBelowHalf = (1u << (kShift - 1)) - 1;
  const std::uint32_t odd = magnitude >> kShift & 1;
  const std::uint32_t normal =
      (magnitude + odd + kBelowHalf - float32::exponent(kRebias)) >> kShift;
  if constexpr (kRebias == 0) return normal;
  // Adding a number whose last bit is worth as much as the last bit of a subnormal number rounds.
  constexpr std::uint32_t kMagic = float32::exponent(kRebias + kShift + 1);
  const float sum = std::bit_cast<float>(magnitude) + std::bit_cast<float>(kMagic);
  const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(sum) - kMagic;
  return choose(magnitude < float32::exponent(kRebias + 1), subnormal, normal);
}

// From the bits of a float32. `beyond` stands for finite numbers that leave the range.
template <class Format>
[[gnu::always_inline]] constexpr Narrowed narrow(std::uint32_t bits, std::uint32_t beyond) {
  const std::uint32_t magnitude = bits & ~float32::kSign;
  std::uint32_t sign = (bits & float32::kSign) >> (32 - Format::kSize);
  const bool finite = magnitude < float32::kInfinity;
  std::uint32_t result = round<Format>(magnitude);
  const bool large = result > Format::kLargest;
  const std::uint32_t instead = choose(finite, beyond, Format::kBeyond);
  result = choose(large, instead, result);
  const bool nan = magnitude > float32::kInfinity;
  result = choose(nan, narrow_nan<Format>(magnitude), result);
  if constexpr (Format::kMantissa == BFloat16::kMantissa) sign = choose(nan, 0, sign);
  if constexpr (Format::kSpecials == Specials::NegativeZero) sign = choose(result == 0, 0, sign);
  return {.bits = result | sign, .left = static_cast<std::uint32_t>(large & finite)};
}

// Drops the sign, as PyTorch does; negative numbers count as beyond the range, zero does not.
template <>
[[gnu::always_inline]] constexpr Narrowed narrow<Float8E8M0Fnu>(std::uint32_t bits,
                                                                std::uint32_t beyond) {
  const std::uint32_t magnitude = bits & ~float32::kSign;
  const std::uint32_t exponent = magnitude >> float32::kMantissa;
  const std::uint32_t mantissa = magnitude & 0x7FFFFF;
  // A tie goes up, but for 2^-127, which is itself.
  const std::uint32_t rounded = exponent + (mantissa + (exponent != 0) > 0x400000);
  const bool finite = magnitude < float32::kInfinity;
  const bool large = finite & (rounded > Float8E8M0Fnu::kLargest);
  const bool negative = finite & (bits > float32::kSign);
  const bool saturate = beyond == Float8E8M0Fnu::kLargest;
  std::uint32_t result = choose(finite, rounded, Float8E8M0Fnu::kBeyond);
  result = choose(large, beyond, result);
  result = choose(negative & saturate, 0, result);
  return {.bits = result, .left = static_cast<std::uint32_t>(large | negative)};
}

// The bits of the float32 of the same value. A NaN becomes a quiet one, except where PyTorch makes
// a signaling one.
template <class Format>
[[gnu::always_inline]] constexpr std::uint32_t widen(std::uint32_t bits) {
  constexpr int kShift = float32::kMantissa - Format::kMantissa;
  constexpr int kRebias = float32::kBias - Format::kBias;
  if constexpr (kRebias == 0) return bits << kShift;
  const std::uint32_t magnitude = bits & (Format::kSign - 1);
  const std::uint32_t sign = (bits & Format::kSign) << (32 - Format::kSize);
  const std::uint32_t moved = magnitude << kShift;
  constexpr std::uint32_t kMagic = float32::exponent(kRebias + 1);
  const float difference = std::bit_cast<float>(moved + kMagic) - std::bit_cast<float>(kMagic);
  std::uint32_t result = moved + float32::exponent(kRebias);
  result = choose(magnitude < (1u << Format::kMantissa), std::bit_cast<std::uint32_t>(difference),
                  result);
  if constexpr (Format::kSpecials == Specials::NegativeZero) {
    return bits == Format::kSign ? float32::kSignalingNan : result | sign;
  }
  result = choose(magnitude > Format::kLargest, moved | float32::kInfinity, result);
  if constexpr (Format::kSpecials == Specials::Ieee) {
    result = choose(magnitude > Format::kIeeeInfinity, result | float32::kQuiet, result);
  }
  return result | sign;
}

template <>
[[gnu::always_inline]] constexpr std::uint32_t widen<Float8E8M0Fnu>(std::uint32_t bits) {
  if (bits == 0) return float32::kQuiet;  // 2^-127, a subnormal number
  return bits == Float8E8M0Fnu::kBeyond ? float32::kSignalingNan : bits << float32::kMantissa;
}

// Every number of an 8-bit format.
template <class Format>
inline constexpr auto kWidened = [] {
  std::array<std::uint32_t, 256> table = {};
  for (std::uint32_t bits = 0; bits < table.size(); ++bits) {
    table[bits] = widen<Format>(bits);
  }
  return table;
}();

}  // namespace ptsd::tensor
