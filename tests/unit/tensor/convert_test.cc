// SPDX-License-Identifier: Apache-2.0
#include "tensor/convert.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"

namespace ptsd::tensor {
namespace {

constexpr auto kReal = std::to_array<DType>({
    DType::Float64,
    DType::Float32,
    DType::Float16,
    DType::BFloat16,
    DType::Float8E5M2,
    DType::Float8E4M3Fn,
    DType::Float8E5M2Fnuz,
    DType::Float8E4M3Fnuz,
    DType::Float8E8M0Fnu,
});
constexpr auto kComplex =
    std::to_array<DType>({DType::Complex32, DType::Complex64, DType::Complex128});

std::vector<std::byte> bytes_of(std::uint64_t bits, std::size_t size) {
  std::vector<std::byte> bytes(size);
  for (std::size_t i = 0; i < size; ++i) {
    bytes[i] = static_cast<std::byte>(bits >> (8 * i));
  }
  return bytes;
}

std::uint64_t bits_of(Bytes bytes) {
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bits |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  }
  return bits;
}

struct Result {
  std::uint64_t bits;
  std::uint64_t left;

  bool operator==(const Result&) const = default;
};

// One element, by its bits.
Result cast(DType from, DType to, std::uint64_t bits, Overflow overflow = Overflow::Keep) {
  const std::vector<std::byte> in = bytes_of(bits, info(from).item_size);
  std::vector<std::byte> out(info(to).item_size);
  const std::uint64_t left = convert(from, to, in, out, overflow);
  return {bits_of(out), left};
}

std::uint64_t bits(float value) {
  return std::bit_cast<std::uint32_t>(value);
}
std::uint64_t bits(double value) {
  return std::bit_cast<std::uint64_t>(value);
}

// The bits of a float32 in another dtype, and back as a number.
std::uint64_t from_float(DType to, float value) {
  return cast(DType::Float32, to, bits(value)).bits;
}
double number(DType from, std::uint64_t element) {
  return std::bit_cast<double>(cast(from, DType::Float64, element).bits);
}

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Where each dtype begins and ends, from the papers that define them.
struct Range {
  DType dtype;
  double largest;
  std::uint64_t largest_bits;
  double least;  // above 0, subnormal
  std::uint64_t infinity;
  std::uint64_t minus_infinity;
  std::uint64_t nan;  // of the float32 NaN 7FC00000
  std::uint64_t minus_zero;
};

constexpr auto kRanges = std::to_array<Range>({
    {DType::Float16,        65504,      0x7BFF, 0x1p-24,  0x7C00, 0xFC00, 0x7E00, 0x8000},
    {DType::BFloat16,       0x1.FEp127, 0x7F7F, 0x1p-133, 0x7F80, 0xFF80, 0x7FC0, 0x8000},
    {DType::Float8E5M2,     57344,      0x7B,   0x1p-16,  0x7C,   0xFC,   0x7F,   0x80  },
    {DType::Float8E4M3Fn,   448,        0x7E,   0x1p-9,   0x7E,   0xFE,   0x7F,   0x80  },
    {DType::Float8E5M2Fnuz, 57344,      0x7F,   0x1p-17,  0x80,   0x80,   0x80,   0x00  },
    {DType::Float8E4M3Fnuz, 240,        0x7F,   0x1p-10,  0x80,   0x80,   0x80,   0x00  },
});

TEST_CASE("floating-point dtypes convert to one another, and complex ones to one another") {
  for (const DTypeInfo& from : kDTypes) {
    for (const DTypeInfo& to : kDTypes) {
      const auto holds = [&](const auto& set) {
        return std::find(set.begin(), set.end(), from.dtype) != set.end() &&
               std::find(set.begin(), set.end(), to.dtype) != set.end();
      };
      CHECK(can_convert(from.dtype, to.dtype) == (holds(kReal) || holds(kComplex)));
    }
  }
}

TEST_CASE("a dtype converted to itself keeps every bit") {
  CHECK(cast(DType::Float32, DType::Float32, 0x7F800001) == Result{0x7F800001, 0});
  CHECK(cast(DType::Float16, DType::Float16, 0xFD23) == Result{0xFD23, 0});
  CHECK(cast(DType::Float8E5M2, DType::Float8E5M2, 0x7D) == Result{0x7D, 0});
  CHECK(cast(DType::Complex64, DType::Complex64, 0x7F8000017F800001).bits == 0x7F8000017F800001);
}

TEST_CASE("every dtype ends where its definition says") {
  for (const Range& range : kRanges) {
    CAPTURE(name(range.dtype));
    CHECK(number(range.dtype, range.largest_bits) == range.largest);
    CHECK(number(range.dtype, 1) == range.least);
    CHECK(from_float(range.dtype, kInfinity) == range.infinity);
    CHECK(from_float(range.dtype, -kInfinity) == range.minus_infinity);
    CHECK(cast(DType::Float32, range.dtype, 0x7FC00000) == Result{range.nan, 0});
    CHECK(from_float(range.dtype, 0.0F) == 0);
    CHECK(from_float(range.dtype, -0.0F) == range.minus_zero);
    CHECK(from_float(range.dtype, static_cast<float>(range.largest)) == range.largest_bits);
    CHECK(from_float(range.dtype, static_cast<float>(range.least)) == 1);
  }
}

TEST_CASE("every number of a narrow dtype comes back from float32 and float64") {
  for (const DType dtype : kReal) {
    if (info(dtype).item_size > 2) continue;
    CAPTURE(name(dtype));
    for (std::uint64_t element = 0; element < 1u << 8 * info(dtype).item_size; ++element) {
      if (std::isnan(number(dtype, element))) continue;
      for (const DType wide : {DType::Float32, DType::Float64}) {
        const Result there = cast(dtype, wide, element);
        REQUIRE(there.left == 0);
        // float8_e4m3fn and the "fnuz" dtypes have no infinity to come back.
        REQUIRE(cast(wide, dtype, there.bits) == Result{element, 0});
      }
    }
  }
}

TEST_CASE("ties go to the even neighbour, anything else to the nearer one") {
  for (const Range& range : kRanges) {
    CAPTURE(name(range.dtype));
    // Subnormal numbers, the least normal ones, and the end of the range.
    for (std::uint64_t lower = 0; lower < range.largest_bits; ++lower) {
      const double low = number(range.dtype, lower);
      const double high = number(range.dtype, lower + 1);
      const auto tie = static_cast<float>((low + high) / 2);
      const std::uint64_t even = lower % 2 == 0 ? lower : lower + 1;
      REQUIRE(from_float(range.dtype, tie) == even);
      REQUIRE(from_float(range.dtype, std::nextafter(tie, 0.0F)) == lower);
      REQUIRE(from_float(range.dtype, std::nextafter(tie, kInfinity)) == lower + 1);
    }
  }
}

// The first value beyond the largest that is nearer to what would follow.
TEST_CASE("values that leave the range are counted, and kept or saturated") {
  struct Edge {
    DType dtype;
    float last;  // that becomes the largest
  };
  const auto edges = std::to_array<Edge>({
      {DType::Float16,           std::nextafter(65520.0F,    0.0F)},
      {DType::BFloat16,          std::nextafter(0x1.FFp127F, 0.0F)},
      {DType::Float8E5M2,        std::nextafter(61440.0F,    0.0F)},
      {DType::Float8E4M3Fn,      464                       },
      {DType::Float8E5M2Fnuz, std::nextafter(61440.0F,                      0.0F)     },
      {DType::Float8E4M3Fnuz,   std::nextafter(248.0F,                      0.0F)},
  });
  for (std::size_t i = 0; i < edges.size(); ++i) {
    const Range& range = kRanges[i];
    CAPTURE(name(range.dtype));
    REQUIRE(edges[i].dtype == range.dtype);
    const std::uint64_t sign = std::uint64_t{1} << (8 * info(range.dtype).item_size - 1);
    const float last = edges[i].last;
    const float first = std::nextafter(last, kInfinity);
    const auto result = [&range](float value, Overflow overflow) {
      return cast(DType::Float32, range.dtype, bits(value), overflow);
    };
    for (const Overflow overflow : {Overflow::Keep, Overflow::Saturate}) {
      CHECK(result(last, overflow) == Result{range.largest_bits, 0});
      CHECK(result(-last, overflow) == Result{range.largest_bits | sign, 0});
      CHECK(result(kInfinity, overflow) == Result{range.infinity, 0});
      CHECK(result(-kInfinity, overflow) == Result{range.minus_infinity, 0});
      CHECK(result(std::nanf(""), overflow).left == 0);
    }
    for (const float beyond : {first, std::numeric_limits<float>::max()}) {
      CHECK(result(beyond, Overflow::Keep) == Result{range.infinity, 1});
      CHECK(result(-beyond, Overflow::Keep) == Result{range.minus_infinity, 1});
      CHECK(result(beyond, Overflow::Saturate) == Result{range.largest_bits, 1});
      CHECK(result(-beyond, Overflow::Saturate) == Result{range.largest_bits | sign, 1});
    }
  }
}

TEST_CASE("float64 leaves the range of float32 from half a step beyond its largest") {
  const auto result = [](double value, Overflow overflow) {
    return cast(DType::Float64, DType::Float32, bits(value), overflow);
  };
  constexpr double kFirst = 0x1.FFFFFFp127;
  for (const Overflow overflow : {Overflow::Keep, Overflow::Saturate}) {
    CHECK(result(std::nextafter(kFirst, 0), overflow) == Result{0x7F7FFFFF, 0});
    CHECK(result(HUGE_VAL, overflow) == Result{0x7F800000, 0});
    CHECK(result(-HUGE_VAL, overflow) == Result{0xFF800000, 0});
    CHECK(result(0x1p-149, overflow) == Result{1, 0});
    CHECK(result(0x1p-150, overflow) == Result{0, 0});
    CHECK(result(-0x1.8p-149, overflow) == Result{0x80000002, 0});
  }
  CHECK(result(kFirst, Overflow::Keep) == Result{0x7F800000, 1});
  CHECK(result(-1e300, Overflow::Keep) == Result{0xFF800000, 1});
  CHECK(result(kFirst, Overflow::Saturate) == Result{0x7F7FFFFF, 1});
  CHECK(result(-1e300, Overflow::Saturate) == Result{0xFF7FFFFF, 1});
}

TEST_CASE("float64 goes by way of float32, as in torch") {
  // A bit above the tie of 1 and the next float16: float32 rounds it onto the tie.
  CHECK(cast(DType::Float64, DType::Float16, bits(1 + 0x1p-11 + 0x1p-40)).bits == 0x3C00);
  CHECK(cast(DType::Float64, DType::BFloat16, bits(1 + 0x1p-8 + 0x1p-40)).bits == 0x3F80);
  CHECK(cast(DType::Float64, DType::Float8E4M3Fn, bits(1 + 0x1p-4 + 0x1p-40)).bits == 0x38);
  // Counted once.
  CHECK(cast(DType::Float64, DType::Float16, bits(1e300)) == Result{0x7C00, 1});
  CHECK(cast(DType::Float64, DType::BFloat16, bits(-1e300)) == Result{0xFF80, 1});
  CHECK(cast(DType::Float64, DType::Float16, bits(-1e300), Overflow::Saturate) ==
        Result{0xFBFF, 1});
  CHECK(cast(DType::Float64, DType::Float16, bits(HUGE_VAL), Overflow::Saturate) ==
        Result{0x7C00, 0});
}

TEST_CASE("a NaN keeps what PyTorch keeps of it") {
  struct Case {
    DType from;
    std::uint64_t element;
    DType to;
    std::uint64_t result;
  };
  using enum DType;
  const auto cases = std::to_array<Case>({
      {Float64,        0x7FF123456789ABCD, Float32,        0x7FC91A2B        },
      {Float64,        0xFFF4000000000000, Float16,        0xFF00            },
      {Float64,        0xFFF8000000000000, BFloat16,       0x7FC0            },
      {Float32,        0x7F800001,         Float64,        0x7FF8000020000000},
      {Float32,        0x7F923456,         Float16,        0x7E91            },
      {Float32,        0xFF810000,         Float16,        0xFE08            },
      {Float32,        0xFFFFFFFF,         BFloat16,       0x7FC0            },
      {Float32,        0xFFC00000,         Float8E5M2,     0xFF              },
      {Float32,        0xFFC00000,         Float8E4M3Fn,   0xFF              },
      {Float32,        0xFFC00000,         Float8E5M2Fnuz, 0x80              },
      {Float32,        0xFFC00000,         Float8E4M3Fnuz, 0x80              },
      {Float32,        0xFFC00000,         Float8E8M0Fnu,  0xFF              },
      {Float16,        0x7C01,             Float32,        0x7FC02000        },
      {Float16,        0xFD00,             Float64,        0xFFFC000000000000},
      {BFloat16,       0x7F81,             Float32,        0x7F810000        },
      {BFloat16,       0x7F92,             Float16,        0x7E90            },
      {Float8E5M2,     0x7D,               Float32,        0x7FE00000        },
      {Float8E5M2,     0xFE,               Float32,        0xFFC00000        },
      {Float8E4M3Fn,   0xFF,               Float32,        0xFFF00000        },
      {Float8E5M2Fnuz, 0x80,               Float32,        0x7F800001        },
      {Float8E4M3Fnuz, 0x80,               Float64,        0x7FF8000020000000},
      {Float8E8M0Fnu,  0xFF,               Float16,        0x7E00            },
  });
  for (const Case& row : cases) {
    CAPTURE(name(row.from));
    CAPTURE(name(row.to));
    CHECK(cast(row.from, row.to, row.element) == Result{row.result, 0});
  }
}

TEST_CASE("float8_e8m0fnu holds powers of two, and neither zero nor sign") {
  const auto result = [](float value, Overflow overflow = Overflow::Keep) {
    return cast(DType::Float32, DType::Float8E8M0Fnu, bits(value), overflow);
  };
  CHECK(number(DType::Float8E8M0Fnu, 0) == 0x1p-127);
  CHECK(number(DType::Float8E8M0Fnu, 127) == 1);
  CHECK(number(DType::Float8E8M0Fnu, 254) == 0x1p127);
  CHECK(result(1.0F) == Result{127, 0});
  CHECK(result(1.4999F) == Result{127, 0});
  CHECK(result(1.5F) == Result{128, 0});
  CHECK(result(0.0F) == Result{0, 0});
  CHECK(result(-0.0F) == Result{0, 0});
  CHECK(result(0x1p-127F) == Result{0, 0});
  CHECK(result(0x1.000004p-127F) == Result{1, 0});
  CHECK(result(0x1.7FFFFEp127F) == Result{254, 0});
  CHECK(result(0x1.8p127F) == Result{255, 1});
  CHECK(result(0x1.8p127F, Overflow::Saturate) == Result{254, 1});
  CHECK(result(-1.0F) == Result{127, 1});
  CHECK(result(-1.0F, Overflow::Saturate) == Result{0, 1});
  CHECK(result(-0x1.8p127F, Overflow::Saturate) == Result{0, 1});
  CHECK(result(-kInfinity, Overflow::Saturate) == Result{255, 0});
}

TEST_CASE("a complex number is two real ones") {
  // 1 and -1e30.
  const std::uint64_t element = bits(1.0F) | bits(-1e30F) << 32;
  CHECK(cast(DType::Complex64, DType::Complex32, element) == Result{0xFC003C00, 1});
  CHECK(cast(DType::Complex64, DType::Complex32, element, Overflow::Saturate) ==
        Result{0xFBFF3C00, 1});
  CHECK(cast(DType::Complex32, DType::Complex64, 0xC0003C00) ==
        Result{bits(1.0F) | bits(-2.0F) << 32, 0});
}

// Blocks, whole vectors and what is left of them, at every alignment.
TEST_CASE("any number of elements at any address is converted alike") {
  for (const DType from : kReal) {
    for (const DType to : kReal) {
      const std::size_t in_size = info(from).item_size;
      const std::size_t out_size = info(to).item_size;
      for (const std::size_t count : {0u, 1u, 7u, 33u, 2047u, 2048u, 2049u, 5000u}) {
        std::vector<std::byte> in(count * in_size + 1);
        for (std::size_t i = 0; i < in.size(); ++i) {
          in[i] = static_cast<std::byte>(i * 37 + (i >> 7));
        }
        std::vector<std::byte> out(count * out_size + 2, std::byte{0xAA});
        const Bytes source = Bytes(in).subspan(1);
        const std::uint64_t left =
            convert(from, to, source, std::span(out).subspan(1, count * out_size), Overflow::Keep);
        std::uint64_t expected_left = 0;
        for (std::size_t i = 0; i<count; i += count> 100 ? 61 : 1) {
          const std::uint64_t element = bits_of(source.subspan(i * in_size, in_size));
          const std::uint64_t made = bits_of(Bytes(out).subspan(1 + i * out_size, out_size));
          const Result one = cast(from, to, element);
          REQUIRE(made == one.bits);
          expected_left += one.left;
        }
        if (count <= 100) REQUIRE(left == expected_left);
        REQUIRE(out.front() == std::byte{0xAA});
        REQUIRE(out.back() == std::byte{0xAA});
      }
    }
  }
}

TEST_CASE("what leaves the range is counted in every block") {
  const std::vector<float> values(5000, -1e30F);
  std::vector<std::byte> out(10000);
  CHECK(convert(DType::Float32, DType::Float16, std::as_bytes(std::span(values)), out,
                Overflow::Keep) == 5000);
  const std::vector<double> wide(5000, 1e300);
  CHECK(convert(DType::Float64, DType::Float16, std::as_bytes(std::span(wide)), out,
                Overflow::Saturate) == 5000);
  CHECK(bits_of(Bytes(out).last(2)) == 0x7BFF);
}

std::string error_of(DType from, DType to, std::size_t in_size, std::size_t out_size) {
  const std::vector<std::byte> in(in_size);
  std::vector<std::byte> out(out_size);
  try {
    convert(from, to, in, out, Overflow::Keep);
  } catch (const Error& error) {
    return std::string(to_string(error.kind())) + ": " + error.what();
  }
  return "no error";
}

TEST_CASE("a conversion that does not exist and sizes that do not fit are refused") {
  CHECK(error_of(DType::Int8, DType::Float32, 1, 4) ==
        "unsupported: no conversion of int8 to float32");
  CHECK(error_of(DType::Float32, DType::Complex64, 4, 8) ==
        "unsupported: no conversion of float32 to complex64");
  CHECK(error_of(DType::Float32, DType::Float16, 8, 2) ==
        "conflict: 8 bytes of float32 do not make 2 bytes of float16");
  CHECK(error_of(DType::Float32, DType::Float16, 6, 2) ==
        "conflict: 6 bytes of float32 do not make 2 bytes of float16");
  CHECK(error_of(DType::Float32, DType::Float32, 4, 8) ==
        "conflict: 4 bytes of float32 do not make 8 bytes of float32");
}

}  // namespace
}  // namespace ptsd::tensor
