// SPDX-License-Identifier: Apache-2.0
#include "tensor/summarise_kernels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "tensor/element_readers.h"
#include "tensor/float_format.h"
#include "tensor/processor.h"

namespace ptsd::tensor {
namespace {

// Sums in eight lanes, whatever the processor has, so that all round alike; in vectors that every
// processor has.
constexpr std::size_t kLanes = 8;
using Pair [[gnu::vector_size(2 * sizeof(double))]] = double;

template <class T>
struct Integer {
  using Number = std::conditional_t<sizeof(T) <= 2, float, double>;
  using Bits = T;
  [[gnu::always_inline]] static Number number(Bits bits) { return static_cast<Number>(bits); }
};

// The absolute value.
template <class Part>
struct Complex {
  using Number = std::conditional_t<sizeof(typename Part::Bits) == 8, double, float>;
  using Bits = std::array<typename Part::Bits, 2>;
  static Number number(const Bits& bits) {
    const auto real = Part::number(bits[0]);
    const auto imaginary = Part::number(bits[1]);
    if (std::isnan(real) || std::isnan(imaginary)) return std::numeric_limits<Number>::quiet_NaN();
    return static_cast<Number>(std::hypot(real, imaginary));
  }
};

// Floats as integers that order as they do.
template <class Number>
[[gnu::always_inline]] inline KeyOf<Number> key_of(Number value) {
  using Key = KeyOf<Number>;
  const auto bits = std::bit_cast<Key>(value);
  return bits ^ ((bits >> (8 * sizeof(Key) - 1)) & std::numeric_limits<Key>::max());
}

template <class Number>
long double value_of(KeyOf<Number> key) {
  using Key = KeyOf<Number>;
  const Key bits = key ^ ((key >> (8 * sizeof(Key) - 1)) & std::numeric_limits<Key>::max());
  return std::bit_cast<Number>(bits) + Number{0};  // -0 is 0
}

template <class Type>
[[gnu::always_inline]] inline void load_block(const std::byte* elements, std::size_t count,
                                              Block<typename Type::Number>& numbers) {
  for (std::size_t i = 0; i < count; ++i) {
    numbers[i] = Type::number(load<typename Type::Bits>(elements, i));
  }
  // NaN takes no part in anything but its count.
  for (std::size_t i = count; i < kBlock; ++i) {
    numbers[i] = std::numeric_limits<typename Type::Number>::quiet_NaN();
  }
}

[[gnu::always_inline]] inline double sum_of(const Block<double>& values) {
  std::array<Pair, kLanes / 2> sums = {};
  for (std::size_t i = 0; i < kBlock; i += kLanes) {
    std::array<Pair, kLanes / 2> lanes;
    std::memcpy(&lanes, &values[i], sizeof(lanes));
    for (std::size_t j = 0; j < lanes.size(); ++j) {
      sums[j] += lanes[j];
    }
  }
  double sum = 0;
  for (const Pair& pair : sums) {
    sum += pair[0] + pair[1];
  }
  return sum;
}

// For numbers whose sum, or whose squares', leaves the range of float64.
void sum_wide(const Block<double>& values, const Block<double>& weights, Summary& block) {
  block.sum = block.squares = 0;
  for (const double value : values) {
    block.sum += value;
  }
  const long double mean = block.sum / static_cast<long double>(block.finite);
  for (std::size_t i = 0; i < kBlock; ++i) {
    const long double apart = (values[i] - mean) * weights[i];
    block.squares += apart * apart;
  }
}

// Whether differences of the elements are exact: none is more than twice another (Sterbenz).
inline bool are_near(const Summary& block) {
  return block.min > 0 ? block.max / 2 <= block.min : block.max < 0 && block.min / 2 >= block.max;
}

// 64-bit integers have more digits than float64.
template <class T>
[[gnu::always_inline]] inline void take_extremes(const std::byte* elements, std::size_t count,
                                                 Summary& block) {
  T low = std::numeric_limits<T>::max();
  T high = std::numeric_limits<T>::min();
  for (std::size_t i = 0; i < count; ++i) {
    const T value = load<T>(elements, i);
    low = std::min(low, value);
    high = std::max(high, value);
  }
  block.min = static_cast<long double>(low);
  block.max = static_cast<long double>(high);
}

template <class Type>
struct Summarise {
  using Number = typename Type::Number;
  using Bits = typename Type::Bits;
  using Key = KeyOf<Number>;

  [[gnu::always_inline]] static void run(const std::byte* elements, std::size_t count,
                                         Summary& summary) {
    Block<Number> numbers;
    for (std::size_t done = 0; done < count; done += kBlock) {
      const std::size_t now = std::min(kBlock, count - done);
      const std::byte* const begin = elements + done * sizeof(Bits);
      load_block<Type>(begin, now, numbers);
      Summary block = count_classes(numbers, now);
      add_moments(numbers, block);
      if constexpr (std::is_integral_v<Bits> && std::is_same_v<Type, Integer<Bits>> &&
                    sizeof(Bits) == 8) {
        take_extremes<Bits>(begin, now, block);
      }
      summary.merge(block);
    }
  }

 private:
  [[gnu::always_inline]] static Summary count_classes(const Block<Number>& numbers,
                                                      std::size_t count) {
    constexpr Key kInfinity = std::bit_cast<Key>(std::numeric_limits<Number>::infinity());
    constexpr Key kNoSign = std::numeric_limits<Key>::max();
    Key zeros = 0;
    Key nan = 0;
    Key inf = 0;
    Key low = std::numeric_limits<Key>::max();
    Key high = std::numeric_limits<Key>::min();
    for (std::size_t i = 0; i < kBlock; ++i) {
      const Key magnitude = std::bit_cast<Key>(numbers[i]) & kNoSign;
      const Key key = key_of(numbers[i]);
      const Key finite = mask_if<Key>(magnitude < kInfinity);
      zeros -= mask_if<Key>(magnitude == 0);
      nan -= mask_if<Key>(magnitude > kInfinity);
      inf -= mask_if<Key>(magnitude == kInfinity);
      low = std::min(low, (key & finite) | (std::numeric_limits<Key>::max() & ~finite));
      high = std::max(high, (key & finite) | (std::numeric_limits<Key>::min() & ~finite));
    }
    Summary block = {.count = count,
                     .zeros = static_cast<std::uint64_t>(zeros),
                     .nan = static_cast<std::uint64_t>(nan) - (kBlock - count),
                     .inf = static_cast<std::uint64_t>(inf)};
    block.finite = count - block.nan - block.inf;
    if (block.finite > 0) {
      block.min = value_of<Number>(low);
      block.max = value_of<Number>(high);
    }
    return block;
  }

  [[gnu::always_inline]] static void add_moments(const Block<Number>& numbers, Summary& block) {
    if (block.finite == 0) return;
    Block<double> values;
    Block<double> weights;  // 0 where there is no finite number
    for (std::size_t i = 0; i < kBlock; ++i) {
      const double value = static_cast<double>(numbers[i]);
      const bool finite = value - value == 0;
      values[i] = finite ? value : 0;
      weights[i] = finite ? 1 : 0;
    }
    const double sum = sum_of(values);
    const double mean = sum / static_cast<double>(block.finite);
    Block<double> apart;
    Block<double> squares;
    for (std::size_t i = 0; i < kBlock; ++i) {
      apart[i] = (values[i] - mean) * weights[i];
      squares[i] = apart[i] * apart[i];
    }
    const double square_sum = sum_of(squares);
    if (!std::isfinite(sum) || !std::isfinite(square_sum)) {
      sum_wide(values, weights, block);
      return;
    }
    block.sum = sum;
    block.squares = square_sum;
    if (!are_near(block)) return;
    // What rounding made the mean miss, which far from 0 is as much as the spread.
    const long double rest = sum_of(apart);
    const auto count = static_cast<long double>(block.finite);
    block.sum = mean * count + rest;
    block.squares = std::max(0.0L, block.squares - rest * rest / count);
  }
};

// Counts what reaches each edge: for the few bins of a histogram faster than finding the bin of
// each element, and exact.
template <class Type>
struct CountBins {
  using Number = typename Type::Number;
  using Bits = typename Type::Bits;
  using Key = KeyOf<Number>;

  [[gnu::always_inline]] static void run(const std::byte* elements, std::size_t count,
                                         std::span<const double> edges,
                                         std::span<std::uint64_t> counts) {
    const std::vector<Number> bounds = bounds_of(edges);
    Block<Number> numbers;
    for (std::size_t done = 0; done < count; done += kBlock) {
      load_block<Type>(elements + done * sizeof(Bits), std::min(kBlock, count - done), numbers);
      std::uint64_t reached = count_from(numbers, bounds.front());
      for (std::size_t i = 0; i < counts.size(); ++i) {
        const std::uint64_t next = count_from(numbers, bounds[i + 1]);
        counts[i] += reached - next;
        reached = next;
      }
    }
  }

 private:
  // The first number of each bin, and the first behind the last.
  static std::vector<Number> bounds_of(std::span<const double> edges) {
    std::vector<Number> bounds;
    for (const double edge : edges) {
      const auto number = static_cast<Number>(edge);
      const bool inside = bounds.size() + 1 == edges.size() ? number > edge : number >= edge;
      bounds.push_back(inside ? number
                              : std::nextafter(number, std::numeric_limits<Number>::infinity()));
    }
    return bounds;
  }

  [[gnu::always_inline]] static std::uint64_t count_from(const Block<Number>& numbers,
                                                         Number bound) {
    Key reached = 0;
    for (std::size_t i = 0; i < kBlock; ++i) {
      reached -= mask_if<Key>(numbers[i] >= bound);
    }
    return static_cast<std::uint64_t>(reached);
  }
};

template <class Processor, class Type>
constexpr SummariseKernel kSummarise =
    Processor::template run<Summarise<Type>, void, const std::byte*, std::size_t, Summary&>;
template <class Processor, class Type>
constexpr BinKernel kCountBins =
    Processor::template run<CountBins<Type>, void, const std::byte*, std::size_t,
                            std::span<const double>, std::span<std::uint64_t>>;

template <class P, class Type>
constexpr SummariseRow row(DType dtype) {
  return {dtype, kSummarise<P, Type>, kCountBins<P, Type>};
}

template <class P>
constexpr auto kRows = std::to_array<SummariseRow>({
    row<P, Integer<std::uint8_t>>(DType::UInt8),
    row<P, Integer<std::int8_t>>(DType::Int8),
    row<P, Integer<std::int16_t>>(DType::Int16),
    row<P, Integer<std::int32_t>>(DType::Int32),
    row<P, Integer<std::int64_t>>(DType::Int64),
    row<P, Narrow<Float16>>(DType::Float16),
    row<P, Float>(DType::Float32),
    row<P, Double>(DType::Float64),
    row<P, Complex<Narrow<Float16>>>(DType::Complex32),
    row<P, Complex<Float>>(DType::Complex64),
    row<P, Complex<Double>>(DType::Complex128),
    row<P, Integer<Boolean>>(DType::Bool),
    row<P, Integer<std::int8_t>>(DType::QInt8),
    row<P, Integer<std::uint8_t>>(DType::QUInt8),
    row<P, Integer<std::int32_t>>(DType::QInt32),
    row<P, Narrow<BFloat16>>(DType::BFloat16),
    row<P, ByTable<Float8E5M2>>(DType::Float8E5M2),
    row<P, ByTable<Float8E4M3Fn>>(DType::Float8E4M3Fn),
    row<P, ByTable<Float8E5M2Fnuz>>(DType::Float8E5M2Fnuz),
    row<P, ByTable<Float8E4M3Fnuz>>(DType::Float8E4M3Fnuz),
    row<P, Integer<std::uint16_t>>(DType::UInt16),
    row<P, Integer<std::uint32_t>>(DType::UInt32),
    row<P, Integer<std::uint64_t>>(DType::UInt64),
    row<P, Integer<std::uint8_t>>(DType::UInt1),
    row<P, Integer<std::uint8_t>>(DType::UInt2),
    row<P, Integer<std::uint8_t>>(DType::UInt3),
    row<P, Integer<std::uint8_t>>(DType::UInt4),
    row<P, Integer<std::uint8_t>>(DType::UInt5),
    row<P, Integer<std::uint8_t>>(DType::UInt6),
    row<P, Integer<std::uint8_t>>(DType::UInt7),
    row<P, Integer<std::int8_t>>(DType::Int1),
    row<P, Integer<std::int8_t>>(DType::Int2),
    row<P, Integer<std::int8_t>>(DType::Int3),
    row<P, Integer<std::int8_t>>(DType::Int4),
    row<P, Integer<std::int8_t>>(DType::Int5),
    row<P, Integer<std::int8_t>>(DType::Int6),
    row<P, Integer<std::int8_t>>(DType::Int7),
    row<P, ByTable<Float8E8M0Fnu>>(DType::Float8E8M0Fnu),
});

constexpr auto kTables = for_each_processor(
    []<class P>() { return SummariseTable{.runs_here = P::runs_here, .rows = kRows<P>}; });

}  // namespace

std::span<const SummariseTable> summarise_tables() {
  return kTables;
}

const SummariseRow* find_summarise_kernels(DType dtype) {
  static const std::span<const SummariseRow> rows = first_that_runs(kTables).rows;
  const auto found = std::ranges::find(rows, dtype, &SummariseRow::dtype);
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace ptsd::tensor
