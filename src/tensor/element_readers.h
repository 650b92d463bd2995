// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "tensor/float_format.h"

// How kernels that look at elements read them: a reader has the bits as they are stored, and the
// number that they become, which is float32 where it fits that, else float64. Only kernels include
// this.

namespace ptsd::tensor {

// Elements at a time: what is computed of them fits the first-level cache.
inline constexpr std::size_t kBlock = 512;

template <class T>
using Block = std::array<T, kBlock>;

// For floats as integers.
template <class Number>
using KeyOf = std::conditional_t<sizeof(Number) == 4, std::int32_t, std::int64_t>;

template <class N, class B>
struct Native {
  using Number = N;
  using Bits = B;
  [[gnu::always_inline]] static Number number(Bits bits) { return std::bit_cast<Number>(bits); }
};

using Float = Native<float, std::uint32_t>;
using Double = Native<double, std::uint64_t>;

template <class Format>
struct Narrow {
  using Number = float;
  using Bits = typename Format::Bits;
  [[gnu::always_inline]] static float number(Bits bits) {
    return std::bit_cast<float>(widen<Format>(bits));
  }
};

template <class Format>
struct ByTable {
  using Number = float;
  using Bits = std::uint8_t;
  [[gnu::always_inline]] static float number(Bits bits) {
    return std::bit_cast<float>(kWidened<Format>[bits]);
  }
};

// Any byte but 0 is True.
struct Boolean {
  std::uint8_t byte;

  friend bool operator==(Boolean, Boolean) = default;
  template <class Number>
  explicit operator Number() const {
    return byte != 0 ? Number{1} : Number{0};
  }
};

}  // namespace ptsd::tensor
