// SPDX-License-Identifier: Apache-2.0
#include "tensor/compare.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include <doctest/doctest.h>

#include "tensor/compare_kernels.h"
#include "tensor/convert.h"

namespace ptsd::tensor {
namespace {

using Elements = std::vector<std::byte>;

template <class T>
T element(Bytes bytes, std::size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

template <class T>
Elements elements(const std::vector<T>& values) {
  const Bytes bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

// A pair of elements, looked at alone.
struct Verdict {
  bool match = false;
  std::optional<Extreme> absolute = {};
  std::optional<Extreme> relative = {};
};

// The plainest way to compare, for the loops to be held against.
template <class T>
Verdict compare_integers(Bytes a, Bytes b, std::size_t i, const CompareRules& rules) {
  const auto [x, y] = std::pair(element<T>(a, i), element<T>(b, i));
  const auto distance = static_cast<std::uint64_t>(x) - static_cast<std::uint64_t>(y);
  const std::uint64_t apart = x > y ? distance : 0 - distance;
  const auto wide = static_cast<std::uint64_t>(y);
  const std::uint64_t size = y < 0 ? 0 - wide : wide;
  const auto rtol = static_cast<float>(rules.tolerance.rtol);
  const auto atol = static_cast<float>(rules.tolerance.atol);
  const float difference = std::abs(static_cast<float>(x) - static_cast<float>(y));
  const float allowed = atol + rtol * static_cast<float>(size);
  Verdict verdict;
  verdict.match = x == y;
  if (!rules.bits && (rtol > 0 || atol > 0)) verdict.match |= difference <= allowed;
  verdict.absolute = {.value = static_cast<double>(apart), .magnitude = apart};
  const float relative = static_cast<float>(apart) / static_cast<float>(size);
  verdict.relative = {.value = static_cast<double>(relative)};
  return verdict;
}

// What a number becomes in a narrower dtype, by the conversions.
template <class Number>
Number rounded(DType dtype, Number value) {
  if (std::is_same_v<Number, double> || dtype == DType::Float32) return value;
  Elements narrow(info(dtype).item_size);
  convert(DType::Float32, dtype, elements<Number>({value}), narrow, Overflow::Keep);
  Elements wide(sizeof(Number));
  convert(dtype, DType::Float32, narrow, wide, Overflow::Keep);
  return element<Number>(wide, 0);
}

template <class Number>
Number number_at(DType dtype, Bytes bytes, std::size_t i) {
  constexpr DType kWide = std::is_same_v<Number, double> ? DType::Float64 : DType::Float32;
  const std::size_t size = info(dtype).item_size;
  Elements wide(sizeof(Number));
  convert(dtype, kWide, bytes.subspan(i * size, size), wide, Overflow::Keep);
  return element<Number>(wide, 0);
}

bool same_bits(DType dtype, Bytes a, Bytes b, std::size_t i) {
  const std::size_t size = info(dtype).item_size;
  return std::memcmp(a.data() + i * size, b.data() + i * size, size) == 0;
}

template <class Number>
Verdict compare_floats(DType dtype, Bytes a, Bytes b, std::size_t i, const CompareRules& rules) {
  // Computed with in float32.
  const DType steps = info(dtype).item_size == 1 ? DType::Float32 : dtype;
  const auto x = number_at<Number>(dtype, a, i);
  const auto y = number_at<Number>(dtype, b, i);
  const auto rtol = static_cast<Number>(rules.tolerance.rtol);
  const auto atol = static_cast<Number>(rules.tolerance.atol);
  const Number difference = rounded(steps, std::abs(x - y));
  const Number most = rounded(steps, atol) + rounded(steps, std::abs(rtol * y));
  Verdict verdict;
  verdict.match = x == y || (rules.equal_nan && std::isnan(x) && std::isnan(y));
  if (rtol > 0 || atol > 0) {
    verdict.match |= std::isfinite(difference) && difference <= rounded(steps, most);
  }
  if (rules.bits) verdict.match = same_bits(dtype, a, b, i);
  verdict.absolute = {.value = static_cast<double>(difference)};
  const Number relative = rounded(steps, difference / std::abs(y));
  verdict.relative = {.value = static_cast<double>(relative)};
  return verdict;
}

template <class Number>
Verdict compare_complex(DType real, Bytes a, Bytes b, std::size_t i, const CompareRules& rules) {
  const auto round = [real](Number value) { return rounded(real, value); };
  const std::array x = {number_at<Number>(real, a, 2 * i), number_at<Number>(real, a, 2 * i + 1)};
  const std::array y = {number_at<Number>(real, b, 2 * i), number_at<Number>(real, b, 2 * i + 1)};
  const auto rtol = static_cast<Number>(rules.tolerance.rtol);
  const auto atol = static_cast<Number>(rules.tolerance.atol);
  const auto length = [&](Number one, Number other) { return round(std::hypot(one, other)); };
  const Number difference = length(round(x[0] - y[0]), round(x[1] - y[1]));
  const Number allowed = round(round(atol) + length(round(rtol * y[0]), round(rtol * y[1])));
  const auto has_nan = [](const auto& z) { return std::isnan(z[0]) || std::isnan(z[1]); };
  Verdict verdict;
  verdict.match = x == y || (rules.equal_nan && has_nan(x) && has_nan(y));
  if (rtol > 0 || atol > 0) {
    verdict.match |= std::isfinite(difference) && difference <= allowed;
  }
  if (rules.bits) {
    verdict.match = same_bits(real, a, b, 2 * i) && same_bits(real, a, b, 2 * i + 1);
  }
  verdict.absolute = {.value = static_cast<double>(difference)};
  verdict.relative = {.value = static_cast<double>(round(difference / length(y[0], y[1])))};
  return verdict;
}

Verdict compare_booleans(Bytes a, Bytes b, std::size_t i, const CompareRules& rules) {
  const Elements left = {static_cast<std::byte>(a[i] != std::byte{0})};
  const Elements right = {static_cast<std::byte>(b[i] != std::byte{0})};
  Verdict verdict = compare_integers<std::uint8_t>(left, right, 0, rules);
  if (rules.bits) verdict.match = a[i] == b[i];
  return verdict;
}

Verdict compare_one(DType dtype, Bytes a, Bytes b, std::size_t i, const CompareRules& rules) {
  switch (dtype) {
    case DType::Bool: return compare_booleans(a, b, i, rules);
    case DType::Int16: return compare_integers<std::int16_t>(a, b, i, rules);
    case DType::Int32:
    case DType::QInt32: return compare_integers<std::int32_t>(a, b, i, rules);
    case DType::Int64: return compare_integers<std::int64_t>(a, b, i, rules);
    case DType::UInt16: return compare_integers<std::uint16_t>(a, b, i, rules);
    case DType::UInt32: return compare_integers<std::uint32_t>(a, b, i, rules);
    case DType::UInt64: return compare_integers<std::uint64_t>(a, b, i, rules);
    case DType::Complex32: return compare_complex<float>(DType::Float16, a, b, i, rules);
    case DType::Complex64: return compare_complex<float>(DType::Float32, a, b, i, rules);
    case DType::Complex128: return compare_complex<double>(DType::Float64, a, b, i, rules);
    case DType::Float64: return compare_floats<double>(dtype, a, b, i, rules);
    case DType::QUInt4x2:
    case DType::QUInt2x4:
    case DType::Bits1x8:
    case DType::Bits2x4:
    case DType::Bits4x2:
    case DType::Bits8:
    case DType::Bits16:
    case DType::Float4E2M1FnX2: return {.match = same_bits(dtype, a, b, i)};
    default: break;
  }
  if (is_floating(dtype)) return compare_floats<float>(dtype, a, b, i, rules);
  const bool is_signed = name(dtype).starts_with("int") || name(dtype).starts_with("qint");
  return is_signed ? compare_integers<std::int8_t>(a, b, i, rules)
                   : compare_integers<std::uint8_t>(a, b, i, rules);
}

Differences reference(DType dtype, Bytes a, Bytes b, const CompareRules& rules) {
  Differences all;
  for (std::size_t i = 0; i < a.size() / info(dtype).item_size; ++i) {
    const Verdict verdict = compare_one(dtype, a, b, i, rules);
    if (verdict.match) continue;
    Differences found = {.mismatched = 1, .max_abs = verdict.absolute, .max_rel = verdict.relative};
    if (found.max_abs) found.max_abs->index = i;
    if (found.max_rel) found.max_rel->index = i;
    all.merge(found);
  }
  return all;
}

std::string told(const std::optional<Extreme>& extreme) {
  if (!extreme) return "none";
  // A NaN has no sign here.
  const double value = std::isnan(extreme->value) ? std::abs(extreme->value) : extreme->value;
  return std::to_string(value) + " (" + std::to_string(extreme->magnitude) + ") at " +
         std::to_string(extreme->index);
}

std::string told(const Differences& found) {
  return std::to_string(found.mismatched) + " abs " + told(found.max_abs) + " rel " +
         told(found.max_rel);
}

// bits, equal_nan, {rtol, atol}
constexpr auto kRules = std::to_array<CompareRules>({
    {false, true,  {0, 0}       },
    {false, false, {0, 0}       },
    {true,  true,  {0, 0}       },
    {false, true,  {0.25, 0}    },
    {false, true,  {0, 2}       },
    {false, true,  {0.016, 1e-5}},
    {false, false, {1e-3, 1e-5} },
});

// Elements of any bits, and others of which some are the same, some nearly.
class Pairs {
 public:
  explicit Pairs(unsigned seed) : generator_(seed) {}

  Elements any(std::size_t size) {
    Elements bytes(size);
    for (std::byte& byte : bytes) {
      byte = static_cast<std::byte>(generator_() >> 7);
    }
    return bytes;
  }

  Elements near(Elements bytes, std::size_t item_size) {
    for (std::size_t at = 0; at < bytes.size(); at += item_size) {
      const unsigned kind = generator_() % 8;
      if (kind < 3) bytes[at] ^= static_cast<std::byte>(generator_() % 4);
      if (kind == 3) bytes[at + item_size - 1] ^= std::byte{0x80};
      if (kind == 4) std::ranges::copy(any(item_size), &bytes[at]);
    }
    return bytes;
  }

 private:
  std::minstd_rand generator_;
};

void check_tables(DType dtype, const Elements& a, const Elements& b, const CompareRules& rules) {
  const std::string expected = told(reference(dtype, a, b, rules));
  for (const CompareTable& table : compare_tables()) {
    if (!table.runs_here()) continue;
    const CompareRow& row = table.rows[static_cast<std::size_t>(dtype)];
    REQUIRE(row.dtype == dtype);
    Differences found;
    row.kernel(a.data(), b.data(), a.size() / info(dtype).item_size, 0, rules, found);
    CHECK(told(found) == expected);
  }
}

Differences compared(DType dtype, const Elements& a, const Elements& b,
                     const CompareRules& rules = {}, std::uint64_t first = 0) {
  Differences found;
  compare(dtype, a, b, first, rules, found);
  return found;
}

TEST_CASE("the last table of comparisons runs on any processor") {
  CHECK(compare_tables().back().runs_here());
}

TEST_CASE("every comparison finds what one element after the other shows") {
  for (const DTypeInfo& type : kDTypes) {
    CAPTURE(type.name);
    Pairs pairs(static_cast<unsigned>(type.dtype) + 1);
    for (const std::size_t count : {0U, 1U, 511U, 512U, 513U, 1100U}) {
      CAPTURE(count);
      const Elements a = pairs.any(count * type.item_size);
      const Elements b = pairs.near(a, type.item_size);
      for (const CompareRules& rules : kRules) {
        check_tables(type.dtype, a, b, rules);
      }
      check_tables(type.dtype, a, a, {});
      check_tables(type.dtype, a, a, {.equal_nan = false});
    }
  }
}

TEST_CASE("a difference in any place of a block is found") {
  for (const DType dtype : {DType::Float32, DType::BFloat16, DType::Int64, DType::Float8E5M2}) {
    const std::size_t size = info(dtype).item_size;
    for (const std::size_t place : {0U, 1U, 510U, 511U, 512U, 513U, 1023U, 1024U}) {
      Elements a(1025 * size);
      const Elements b = a;
      a[place * size + size - 1] = std::byte{0x40};
      const Differences found = compared(dtype, a, b, {}, 1000);
      CHECK(found.mismatched == 1);
      CHECK(found.max_abs->index == 1000 + place);
      CHECK(found.max_rel->index == 1000 + place);
      CHECK(compared(dtype, a, b,
                     {
                         .tolerance = {1e-3, 1e-5}
      })
                .mismatched == 1);
    }
  }
}

TEST_CASE("of differences that are as large, the first counts") {
  std::vector<float> ones(2000, 1.0F);
  const Elements b = elements(ones);
  for (const std::size_t place : {700U, 30U, 1999U}) {
    ones[place] = 3.0F;
  }
  const Differences found = compared(DType::Float32, elements(ones), b);
  CHECK(told(found) == "3 abs 2.000000 (0) at 30 rel 2.000000 (0) at 30");
  std::vector<std::int32_t> integers(2000, 1);
  const Elements c = elements(integers);
  integers[1200] = -1;
  integers[40] = 3;
  CHECK(told(compared(DType::Int32, elements(integers), c)) ==
        "2 abs 2.000000 (2) at 40 rel 2.000000 (0) at 40");
}

TEST_CASE("a NaN is the largest difference, infinity the next") {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const Elements b = elements<double>({1, 1, 1, 1, 1, 1});
  const auto found = [&](const std::vector<double>& values) {
    return told(compared(DType::Float64, elements(values), b));
  };
  CHECK(found({5, kInf, 1, 1, -kInf, 9}) == "4 abs inf (0) at 1 rel inf (0) at 1");
  CHECK(found({5, kInf, 1, kNan, kNan, 9}) == "5 abs nan (0) at 3 rel nan (0) at 3");
}

TEST_CASE("infinity beside a number makes a ratio of NaN") {
  const Elements a = elements<float>({2, 1, 7});
  const Elements b = elements<float>({1, std::numeric_limits<float>::infinity(), 0});
  CHECK(told(compared(DType::Float32, a, b)) == "3 abs inf (0) at 1 rel nan (0) at 1");
}

TEST_CASE("distances of integers do not overflow") {
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  const Differences found = compared(DType::Int64, elements<std::int64_t>({kLeast, 5}),
                                     elements<std::int64_t>({kMost, kLeast}));
  CHECK(found.max_abs->magnitude == std::numeric_limits<std::uint64_t>::max());
  CHECK(found.max_abs->index == 0);
  CHECK(found.max_rel->value == 2);
  const Differences large = compared(DType::UInt64, elements<std::uint64_t>({~std::uint64_t{0}}),
                                     elements<std::uint64_t>({~std::uint64_t{0} - 1}));
  CHECK(large.max_abs->magnitude == 1);
}

TEST_CASE("True in other bits differs by bits alone") {
  const Elements a = {std::byte{1}, std::byte{0}, std::byte{2}};
  const Elements b = {std::byte{1}, std::byte{0}, std::byte{1}};
  CHECK(compared(DType::Bool, a, b).mismatched == 0);
  CHECK(told(compared(DType::Bool, a, b, {.bits = true})) ==
        "1 abs 0.000000 (0) at 2 rel 0.000000 (0) at 2");
}

TEST_CASE("only where a NaN equals itself do equal bytes suffice") {
  CHECK(equal_bytes_suffice(DType::Float32, {}));
  CHECK_FALSE(equal_bytes_suffice(DType::Float32, {.equal_nan = false}));
  CHECK_FALSE(equal_bytes_suffice(DType::Complex64, {.equal_nan = false}));
  CHECK_FALSE(equal_bytes_suffice(DType::Float8E4M3Fn, {.equal_nan = false}));
  CHECK(equal_bytes_suffice(DType::Float32, {.bits = true, .equal_nan = false}));
  CHECK(equal_bytes_suffice(DType::Int64, {.equal_nan = false}));
  CHECK(equal_bytes_suffice(DType::QInt8, {.equal_nan = false}));
}

TEST_CASE("the default tolerance is that of the coarser dtype") {
  const auto is = [](DType a, DType b, double rtol, double atol) {
    const Tolerance tolerance = default_tolerance(a, b);
    return tolerance.rtol == rtol && tolerance.atol == atol;
  };
  CHECK(is(DType::Float32, DType::Float32, 1.3e-6, 1e-5));
  CHECK(is(DType::Float64, DType::Float64, 1e-7, 1e-7));
  CHECK(is(DType::Float64, DType::BFloat16, 1.6e-2, 1e-5));
  CHECK(is(DType::Int32, DType::Complex32, 1e-3, 1e-5));
  CHECK(is(DType::Bool, DType::UInt64, 0, 0));
  CHECK(is(DType::Float8E5M2, DType::Float8E5M2, 0, 0));
}

TEST_CASE("differences found apart are put together in their order") {
  Differences all = {
      .mismatched = 2, .max_abs = Extreme{.value = 2, .index = 4}
  };
  all.merge({
      .mismatched = 3, .max_abs = Extreme{.value = 2, .index = 9}
  });
  CHECK(told(all) == "5 abs 2.000000 (0) at 4 rel none");
  all.merge({
      .mismatched = 1, .max_rel = Extreme{.value = 1, .index = 10}
  });
  CHECK(told(all) == "6 abs 2.000000 (0) at 4 rel 1.000000 (0) at 10");
}

}  // namespace
}  // namespace ptsd::tensor
