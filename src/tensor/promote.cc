// SPDX-License-Identifier: Apache-2.0
#include "tensor/promote.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <vector>

#include "tensor/convert.h"

namespace ptsd::tensor {
namespace {

bool is_float8(DType dtype) {
  return is_floating(dtype) && info(dtype).item_size == 1;
}

template <class T>
void widen(Bytes in, std::span<std::byte> out) {
  using Wide = std::conditional_t<std::is_unsigned_v<T>, std::uint64_t, std::int64_t>;
  for (std::size_t i = 0; i < in.size() / sizeof(T); ++i) {
    T narrow;
    std::memcpy(&narrow, in.data() + i * sizeof(T), sizeof(T));
    const auto wide = static_cast<Wide>(narrow);
    std::memcpy(out.data() + i * sizeof(Wide), &wide, sizeof(Wide));
  }
}

void widen_bool(Bytes in, std::span<std::byte> out) {
  for (std::size_t i = 0; i < in.size(); ++i) {
    const std::uint64_t wide = in[i] != std::byte{0} ? 1 : 0;
    std::memcpy(out.data() + i * sizeof(wide), &wide, sizeof(wide));
  }
}

struct IntegerRow {
  DType dtype;
  bool is_signed;
  void (*widen)(Bytes in, std::span<std::byte> out);  // to 64 bits
};

constexpr auto kIntegers = std::to_array<IntegerRow>({
    {DType::Bool,   false, widen_bool          },
    {DType::UInt8,  false, widen<std::uint8_t> },
    {DType::UInt16, false, widen<std::uint16_t>},
    {DType::UInt32, false, widen<std::uint32_t>},
    {DType::UInt64, false, widen<std::uint64_t>},
    {DType::Int8,   true,  widen<std::int8_t>  },
    {DType::Int16,  true,  widen<std::int16_t> },
    {DType::Int32,  true,  widen<std::int32_t> },
    {DType::Int64,  true,  widen<std::int64_t> },
});

const IntegerRow* find_integer(DType dtype) {
  const auto* const row = std::ranges::find(kIntegers, dtype, &IntegerRow::dtype);
  return row == kIntegers.end() ? nullptr : row;
}

std::optional<DType> promote_integers(const IntegerRow& a, const IntegerRow& b) {
  const bool large = a.dtype == DType::UInt64 || b.dtype == DType::UInt64;
  if (!large) return DType::Int64;
  if (a.is_signed || b.is_signed) return std::nullopt;
  return DType::UInt64;
}

// The dtype of the numbers that a complex or floating-point dtype is computed with.
std::optional<DType> real_of(DType dtype) {
  switch (dtype) {
    case DType::Complex32: return DType::Float16;
    case DType::Complex64: return DType::Float32;
    case DType::Complex128: return DType::Float64;
    case DType::Float4E2M1FnX2: return std::nullopt;
    default: break;
  }
  if (is_float8(dtype)) return DType::Float32;
  return is_floating(dtype) ? std::optional(dtype) : std::nullopt;
}

DType complex_of(DType real) {
  if (real == DType::Float64) return DType::Complex128;
  return real == DType::Float16 ? DType::Complex32 : DType::Complex64;
}

// Integers take the dtype of what stands beside them.
std::optional<DType> promote_reals(std::optional<DType> a, std::optional<DType> b) {
  if (!a || !b) return a ? a : b;
  if (*a == *b) return a;
  const bool large = *a == DType::Float64 || *b == DType::Float64;
  return large ? DType::Float64 : DType::Float32;
}

template <class T>
void to_float64(Bytes wide, std::span<std::byte> out) {
  for (std::size_t i = 0; i < wide.size() / sizeof(T); ++i) {
    T integer;
    std::memcpy(&integer, wide.data() + i * sizeof(T), sizeof(T));
    const auto number = static_cast<double>(integer);
    std::memcpy(out.data() + i * sizeof(T), &number, sizeof(T));
  }
}

// Integers to a real dtype, by way of float64.
std::vector<std::byte> reals_of(const IntegerRow& row, DType to, Bytes in) {
  const std::size_t count = in.size() / info(row.dtype).item_size;
  std::vector<std::byte> wide(count * 8);
  row.widen(in, wide);
  std::vector<std::byte> numbers(wide.size());
  if (row.is_signed) {
    to_float64<std::int64_t>(wide, numbers);
  } else {
    to_float64<std::uint64_t>(wide, numbers);
  }
  std::vector<std::byte> reals(count * info(to).item_size);
  convert(DType::Float64, to, numbers, reals, Overflow::Keep);
  return reals;
}

// Each number followed by a zero.
void make_complex(Bytes reals, std::size_t size, std::span<std::byte> out) {
  std::ranges::fill(out, std::byte{0});
  for (std::size_t at = 0; at < reals.size(); at += size) {
    std::copy_n(reals.begin() + static_cast<std::ptrdiff_t>(at), size,
                out.begin() + static_cast<std::ptrdiff_t>(2 * at));
  }
}

}  // namespace

std::optional<DType> promote(DType a, DType b) {
  if (a == b) return a;
  const IntegerRow* const left = find_integer(a);
  const IntegerRow* const right = find_integer(b);
  if (left != nullptr && right != nullptr) return promote_integers(*left, *right);
  const std::optional<DType> real_a = real_of(a);
  const std::optional<DType> real_b = real_of(b);
  if ((left == nullptr && !real_a) || (right == nullptr && !real_b)) return std::nullopt;
  const std::optional<DType> real = promote_reals(real_a, real_b);
  if (is_complex(a) || is_complex(b)) return complex_of(*real);
  return real;
}

void convert_promoted(DType from, DType to, Bytes in, std::span<std::byte> out) {
  const IntegerRow* const integer = find_integer(from);
  if (integer != nullptr && find_integer(to) != nullptr) return integer->widen(in, out);
  if (is_complex(from) || !is_complex(to)) {
    if (integer == nullptr) {
      convert(from, to, in, out, Overflow::Keep);
    } else {
      std::ranges::copy(reals_of(*integer, to, in), out.begin());
    }
    return;
  }
  const DType real = *real_of(to);
  if (integer != nullptr)
    return make_complex(reals_of(*integer, real, in), info(real).item_size, out);
  std::vector<std::byte> reals(in.size() / info(from).item_size * info(real).item_size);
  convert(from, real, in, reals, Overflow::Keep);
  make_complex(reals, info(real).item_size, out);
}

}  // namespace ptsd::tensor
