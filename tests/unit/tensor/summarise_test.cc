// SPDX-License-Identifier: Apache-2.0
#include "tensor/summarise.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include <doctest/doctest.h>

#include "tensor/convert.h"
#include "tensor/summarise_kernels.h"

namespace ptsd::tensor {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<std::byte> random_bytes(std::size_t size) {
  std::mt19937 generator(1);
  std::vector<std::byte> bytes(size);
  for (std::byte& byte : bytes) {
    byte = static_cast<std::byte>(generator());
  }
  return bytes;
}

template <class T>
Bytes bytes_of(const std::vector<T>& values) {
  return std::as_bytes(std::span(values));
}

bool same_bits(const Summary& a, const Summary& b) {
  const auto bits = [](long double value) { return std::make_pair(value, std::signbit(value)); };
  return a.count == b.count && a.finite == b.finite && a.zeros == b.zeros && a.nan == b.nan &&
         a.inf == b.inf && bits(a.min) == bits(b.min) && bits(a.max) == bits(b.max) &&
         bits(a.sum) == bits(b.sum) && bits(a.squares) == bits(b.squares);
}

// One element after the other.
template <class T>
Summary plainly(const std::vector<T>& values) {
  Summary summary = {.count = values.size()};
  std::vector<long double> finite;
  for (const T element : values) {
    const auto value = static_cast<long double>(element);
    summary.zeros += value == 0;
    summary.nan += std::isnan(value);
    summary.inf += std::isinf(value);
    if (std::isfinite(value)) finite.push_back(value);
  }
  summary.finite = finite.size();
  if (finite.empty()) return summary;
  summary.min = *std::min_element(finite.begin(), finite.end());
  summary.max = *std::max_element(finite.begin(), finite.end());
  summary.sum = std::accumulate(finite.begin(), finite.end(), 0.0L);
  const long double mean = summary.sum / static_cast<long double>(finite.size());
  for (const long double value : finite) {
    summary.squares += (value - mean) * (value - mean);
  }
  return summary;
}

void check_close(const Summary& found, const Summary& expected) {
  CHECK(found.count == expected.count);
  CHECK(found.finite == expected.finite);
  CHECK(found.zeros == expected.zeros);
  CHECK(found.nan == expected.nan);
  CHECK(found.inf == expected.inf);
  CHECK(found.min == expected.min);
  CHECK(found.max == expected.max);
  if (expected.finite == 0) return;
  const auto largest =
      static_cast<double>(std::max(std::abs(expected.min), std::abs(expected.max)));
  CHECK(std::abs(found.mean() - expected.mean()) <= 1e-14 * largest);
  if (expected.finite < 2) return;
  const double deviation = expected.standard_deviation();
  CHECK(std::abs(found.standard_deviation() - deviation) <= 1e-12 * deviation);
}

// Numbers of which some are 0, infinite or none.
template <class T>
std::vector<T> mixed(std::size_t count) {
  std::mt19937 generator(2);
  std::normal_distribution<double> normal(10, 3);
  constexpr auto kSpecial = std::to_array<double>({0, -0.0, kInfinity, -kInfinity, kNan, 1e-310});
  std::vector<T> values;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t which = generator() % 60;
    values.push_back(static_cast<T>(which < kSpecial.size() ? kSpecial[which] : normal(generator)));
  }
  return values;
}

template <class T>
std::vector<T> integers(std::size_t count) {
  std::vector<T> values(count);
  const std::vector<std::byte> noise = random_bytes(count * sizeof(T));
  std::copy(noise.begin(), noise.end(), std::as_writable_bytes(std::span(values)).begin());
  return values;
}

template <class T>
void check_integers(DType dtype) {
  CAPTURE(name(dtype));
  const std::vector<T> values = integers<T>(1234);
  check_close(summarise(dtype, bytes_of(values)), plainly(values));
  const std::vector<T> ends = {std::numeric_limits<T>::max(), std::numeric_limits<T>::min(),
                               static_cast<T>(std::numeric_limits<T>::max() - 1)};
  check_close(summarise(dtype, bytes_of(ends)), plainly(ends));
}

using Counts = std::vector<std::uint64_t>;

template <class T>
Counts histogram(DType dtype, const std::vector<T>& values, std::size_t bins) {
  const std::vector<double> edges = bin_edges(summarise(dtype, bytes_of(values)), bins);
  Counts counts(bins);
  count_bins(dtype, bytes_of(values), edges, counts);
  return counts;
}

TEST_CASE("the last table of summaries runs on any processor") {
  CHECK(summarise_tables().back().runs_here());
}

TEST_CASE("the loops of every processor give the same summaries and counts") {
  constexpr std::size_t kCount = 10'003;  // no whole number of blocks
  const std::vector<std::byte> noise = random_bytes(kCount * 16 + 1);
  const std::byte* const elements = noise.data() + 1;
  const std::span<const SummariseRow> plain = summarise_tables().back().rows;
  for (const SummariseTable& table : summarise_tables()) {
    if (!table.runs_here()) continue;
    REQUIRE(table.rows.size() == plain.size());
    for (std::size_t i = 0; i < plain.size(); ++i) {
      const SummariseRow& row = table.rows[i];
      CAPTURE(name(row.dtype));
      REQUIRE(row.dtype == plain[i].dtype);
      Summary found;
      Summary expected;
      row.summarise(elements, kCount, found);
      plain[i].summarise(elements, kCount, expected);
      CHECK(same_bits(found, expected));
      REQUIRE(expected.finite > 0);
      const std::vector<double> edges = bin_edges(expected, 7);
      Counts counts(7);
      Counts expected_counts(7);
      row.count_bins(elements, kCount, edges, counts);
      plain[i].count_bins(elements, kCount, edges, expected_counts);
      CHECK(counts == expected_counts);
      CHECK(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}) == expected.finite);
    }
  }
}

TEST_CASE("whole blocks and what is left of them are summarised as one element after the other") {
  for (const std::size_t count :
       {0u, 1u, 2u, 3u, 7u, 511u, 512u, 513u, 1023u, 1024u, 1025u, 9999u}) {
    CAPTURE(count);
    const auto floats = mixed<float>(count);
    check_close(summarise(DType::Float32, bytes_of(floats)), plainly(floats));
    const auto doubles = mixed<double>(count);
    check_close(summarise(DType::Float64, bytes_of(doubles)), plainly(doubles));
  }
}

TEST_CASE("integers of every size are summarised with their exact ends") {
  check_integers<std::uint8_t>(DType::UInt8);
  check_integers<std::int8_t>(DType::Int8);
  check_integers<std::int16_t>(DType::Int16);
  check_integers<std::int32_t>(DType::Int32);
  check_integers<std::int64_t>(DType::Int64);
  check_integers<std::uint16_t>(DType::UInt16);
  check_integers<std::uint32_t>(DType::UInt32);
  check_integers<std::uint64_t>(DType::UInt64);
  check_integers<std::int8_t>(DType::QInt8);
  check_integers<std::uint8_t>(DType::QUInt8);
  check_integers<std::int32_t>(DType::QInt32);
}

TEST_CASE("every element of a narrow dtype is the number that a conversion makes of it") {
  for (const DType dtype : {DType::Float16, DType::BFloat16, DType::Float8E5M2, DType::Float8E4M3Fn,
                            DType::Float8E5M2Fnuz, DType::Float8E4M3Fnuz, DType::Float8E8M0Fnu}) {
    CAPTURE(name(dtype));
    const std::size_t size = info(dtype).item_size;
    std::vector<std::byte> all;
    for (std::uint32_t bits = 0; bits < (1u << (8 * size)); ++bits) {
      for (std::size_t i = 0; i < size; ++i) {
        all.push_back(static_cast<std::byte>(bits >> (8 * i)));
      }
    }
    std::vector<double> numbers(all.size() / size);
    convert(dtype, DType::Float64, all, std::as_writable_bytes(std::span(numbers)), Overflow::Keep);
    check_close(summarise(dtype, all), plainly(numbers));
  }
}

TEST_CASE("any byte but 0 is true") {
  const std::vector<std::uint8_t> values = {0, 1, 2, 255};
  const Summary summary = summarise(DType::Bool, bytes_of(values));
  CHECK(summary.zeros == 1);
  CHECK(summary.max == 1);
  CHECK(summary.mean() == 0.75);
}

TEST_CASE("a complex number counts by its absolute value, and as NaN if a part is NaN") {
  const std::vector<std::complex<double>> values = {
      {3,      4         },
      {-3e200, 4e200     },
      {0,      -0.0      },
      {kNan,   kInfinity },
      {1,      -kInfinity}
  };
  const Summary summary = summarise(DType::Complex128, bytes_of(values));
  CHECK(summary.finite == 3);
  CHECK(summary.zeros == 1);
  CHECK(summary.nan == 1);
  CHECK(summary.inf == 1);
  CHECK(static_cast<double>(summary.max) == doctest::Approx(5e200));
}

TEST_CASE("a run may be summarised in any parts") {
  const auto values = mixed<double>(20'000);
  const Bytes all = bytes_of(values);
  const Summary expected = plainly(values);
  for (const std::size_t part : {1u, 100u, 512u, 777u, 19'999u}) {
    CAPTURE(part);
    Summary merged;
    for (std::size_t first = 0; first < values.size(); first += part) {
      const std::size_t count = std::min(part, values.size() - first);
      merged.merge(summarise(DType::Float64, all.subspan(first * 8, count * 8)));
    }
    merged.merge(Summary());
    check_close(merged, expected);
  }
}

TEST_CASE("elements that are all one number have no spread at all") {
  for (const double value : {0.0, 0.1, -1e6 / 3, 1e300}) {
    CAPTURE(value);
    const Summary summary = summarise(DType::Float64, bytes_of(std::vector(5000, value)));
    CHECK(summary.mean() == value);
    CHECK(summary.standard_deviation() == 0);
  }
}

TEST_CASE("a spread that is small beside the numbers is not lost") {
  std::vector<double> values;
  for (int i = 0; i < 100'000; ++i) {
    values.push_back(1e6 + (i % 2 == 0 ? 1e-3 : -1e-3));
  }
  const Summary summary = summarise(DType::Float64, bytes_of(values));
  CHECK(summary.mean() == doctest::Approx(1e6).epsilon(1e-15));
  // What float64 makes of 1e6 + 1e-3 is off by 1e-10 at most.
  CHECK(summary.standard_deviation() == doctest::Approx(1.000005e-3).epsilon(1e-7));
}

// 1e8 and one place more, twice and four times: what the sum of a block rounds is more than that.
TEST_CASE("the last digits of numbers far from 0 are not lost") {
  for (const double sign : {1.0, -1.0}) {
    std::vector<double> values;
    for (int i = 0; i < 3 * 10'000; ++i) {
      values.push_back(sign * (1e8 + (i % 3) * 0x1p-26));
    }
    const Summary summary = summarise(DType::Float64, bytes_of(values));
    const long double share = 2.0L / 3 * 30'000 / 29'999;
    CHECK(summary.mean() == sign * (1e8 + 0x1p-26));
    CHECK(summary.standard_deviation() ==
          doctest::Approx(0x1p-26 * std::sqrt(static_cast<double>(share))).epsilon(1e-9));
  }
}

TEST_CASE("numbers that cancel leave what they do not cancel") {
  const std::vector<double> values = {-1e6, 1e6, 1};
  CHECK(summarise(DType::Float64, bytes_of(values)).mean() == 1.0 / 3);
}

TEST_CASE("numbers whose sum leaves the range of float64 have a mean all the same") {
  const std::vector<double> alike(5000, 1.7e308);
  CHECK(summarise(DType::Float64, bytes_of(alike)).mean() == doctest::Approx(1.7e308));
  std::vector<double> apart(5000, 1.5e308);
  std::fill(apart.begin(), apart.begin() + 2500, -1.5e308);
  const Summary summary = summarise(DType::Float64, bytes_of(apart));
  CHECK(summary.mean() == 0);
  CHECK(summary.standard_deviation() == doctest::Approx(1.5e308).epsilon(1e-3));
}

TEST_CASE("one element has no standard deviation") {
  CHECK(std::isnan(summarise(DType::Float32, bytes_of(std::vector{1.0F})).standard_deviation()));
}

TEST_CASE("a bin has its lower edge, the last one both, and what is not finite is in none") {
  CHECK(histogram(DType::Float64, std::vector<double>{0, -0.0, 1, 2, 3, 3, kNan, kInfinity}, 3) ==
        Counts{2, 1, 3});
  CHECK(histogram(DType::Float32, std::vector<float>{-2, -1, 0, 1, 2}, 4) == Counts{1, 1, 1, 2});
  CHECK(histogram(DType::Int64, std::vector<std::int64_t>{7, 7, 7}, 1) == Counts{3});
  CHECK(histogram(DType::UInt8, std::vector<std::uint8_t>{7, 7, 7}, 5) == Counts{0, 0, 3, 0, 0});
  CHECK(histogram(DType::Float64, std::vector<double>{kNan, 4, -kInfinity}, 2) == Counts{0, 1});
}

TEST_CASE("edges between two float32 numbers part them") {
  const float next = std::nextafter(1.0F, 2.0F);
  CHECK(histogram(DType::Float32, std::vector<float>{1, 1, next}, 2) == Counts{2, 1});
  CHECK(histogram(DType::Float32, std::vector<float>{1, 1, next}, 7) ==
        Counts{2, 0, 0, 0, 0, 0, 1});
}

TEST_CASE("bins may be wider and narrower than what float64 holds") {
  const double most = std::numeric_limits<double>::max();
  CHECK(histogram(DType::Float64, std::vector<double>{-most, -1, 0, 1, most}, 2) == Counts{2, 3});
  const double least = std::numeric_limits<double>::denorm_min();
  const Counts narrow = histogram(DType::Float64, std::vector<double>{0, least}, 7);
  CHECK(std::accumulate(narrow.begin(), narrow.end(), std::uint64_t{0}) == 2);
  CHECK(histogram(DType::Float64, std::vector<double>{1e308, 1e308}, 3) == Counts{0, 0, 2});
}

TEST_CASE("edges are spread evenly from end to end") {
  const Summary summary = summarise(DType::Float64, bytes_of(std::vector<double>{-1, 3}));
  CHECK(bin_edges(summary, 4) == std::vector<double>{-1, 0, 1, 2, 3});
  CHECK(bin_edges(summarise(DType::Int8, bytes_of(std::vector<std::int8_t>{2})), 2) ==
        std::vector<double>{1.5, 2, 2.5});
}

TEST_CASE("dtypes whose elements are no numbers are not summarised") {
  CHECK(can_summarise(DType::Float32));
  CHECK(can_summarise(DType::Bool));
  for (const DType dtype :
       {DType::Bits8, DType::Bits16, DType::QUInt4x2, DType::QUInt2x4, DType::Float4E2M1FnX2}) {
    CAPTURE(name(dtype));
    CHECK_FALSE(can_summarise(dtype));
  }
}

}  // namespace
}  // namespace ptsd::tensor
