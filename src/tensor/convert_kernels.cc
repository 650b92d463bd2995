// SPDX-License-Identifier: Apache-2.0
#include "tensor/convert_kernels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <span>

#include "tensor/float_format.h"
#include "tensor/processor.h"

namespace ptsd::tensor {
namespace {

template <class Format>
struct Store {
  [[gnu::always_inline]] static std::uint64_t run(const std::byte* __restrict in,
                                                  std::byte* __restrict out, std::size_t count,
                                                  bool saturate) {
    const std::uint32_t beyond = saturate ? Format::kLargest : Format::kBeyond;
    std::uint32_t left = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const Narrowed narrowed = narrow<Format>(load<std::uint32_t>(in, i), beyond);
      left += narrowed.left;
      store(out, i, static_cast<typename Format::Bits>(narrowed.bits));
    }
    return left;
  }
};

template <class Format>
struct Load {
  [[gnu::always_inline]] static std::uint64_t run(const std::byte* __restrict in,
                                                  std::byte* __restrict out, std::size_t count,
                                                  bool) {
    for (std::size_t i = 0; i < count; ++i) {
      store(out, i, widen<Format>(load<typename Format::Bits>(in, i)));
    }
    return 0;
  }
};

template <class Format>
struct LoadByTable {
  [[gnu::always_inline]] static std::uint64_t run(const std::byte* __restrict in,
                                                  std::byte* __restrict out, std::size_t count,
                                                  bool) {
    for (std::size_t i = 0; i < count; ++i) {
      store(out, i, kWidened<Format>[load<std::uint8_t>(in, i)]);
    }
    return 0;
  }
};

struct StoreFloat64 {
  [[gnu::always_inline]] static std::uint64_t run(const std::byte* __restrict in,
                                                  std::byte* __restrict out, std::size_t count,
                                                  bool) {
    for (std::size_t i = 0; i < count; ++i) {
      store(out, i, static_cast<double>(load<float>(in, i)));
    }
    return 0;
  }
};

// The infinities of `out` that are none in `in`. Rarely called, so that the loop before it has
// lanes of one width.
std::uint64_t count_new_infinities(const std::byte* in, std::byte* out, std::size_t count,
                                   bool saturate) {
  constexpr std::uint64_t kInfinity = 0x7FF0000000000000;
  std::uint64_t left = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const auto bits = load<std::uint32_t>(out, i);
    if ((bits & ~float32::kSign) != float32::kInfinity) continue;
    if ((load<std::uint64_t>(in, i) & ~(std::uint64_t{1} << 63)) == kInfinity) continue;
    ++left;
    if (saturate) store(out, i, (bits & float32::kSign) | float32::kLargest);
  }
  return left;
}

struct LoadFloat64 {
  [[gnu::always_inline]] static std::uint64_t run(const std::byte* __restrict in,
                                                  std::byte* __restrict out, std::size_t count,
                                                  bool saturate) {
    std::uint32_t infinities = 0;
    for (std::size_t i = 0; i < count; ++i) {
      const auto value = static_cast<float>(load<double>(in, i));
      const std::uint32_t magnitude = std::bit_cast<std::uint32_t>(value) & ~float32::kSign;
      infinities += magnitude == float32::kInfinity;
      store(out, i, value);
    }
    return infinities == 0 ? 0 : count_new_infinities(in, out, count, saturate);
  }
};

template <class P, class Load, class Store>
constexpr KernelRow row(DType dtype) {
  return {dtype,
          P::template run<Load, std::uint64_t, const std::byte*, std::byte*, std::size_t, bool>,
          P::template run<Store, std::uint64_t, const std::byte*, std::byte*, std::size_t, bool>};
}

template <class P>
constexpr auto kRows = std::to_array<KernelRow>({
    row<P, LoadFloat64, StoreFloat64>(DType::Float64),
    {DType::Float32, nullptr, nullptr},
    row<P, Load<Float16>, Store<Float16>>(DType::Float16),
    row<P, Load<BFloat16>, Store<BFloat16>>(DType::BFloat16),
    row<P, LoadByTable<Float8E5M2>, Store<Float8E5M2>>(DType::Float8E5M2),
    row<P, LoadByTable<Float8E4M3Fn>, Store<Float8E4M3Fn>>(DType::Float8E4M3Fn),
    row<P, LoadByTable<Float8E5M2Fnuz>, Store<Float8E5M2Fnuz>>(DType::Float8E5M2Fnuz),
    row<P, LoadByTable<Float8E4M3Fnuz>, Store<Float8E4M3Fnuz>>(DType::Float8E4M3Fnuz),
    row<P, LoadByTable<Float8E8M0Fnu>, Store<Float8E8M0Fnu>>(DType::Float8E8M0Fnu),
});

constexpr auto kTables = for_each_processor(
    []<class P>() { return KernelTable{.runs_here = P::runs_here, .rows = kRows<P>}; });

}  // namespace

std::span<const KernelTable> kernel_tables() {
  return kTables;
}

const KernelRow* find_kernels(DType dtype) {
  static const std::span<const KernelRow> rows = first_that_runs(kTables).rows;
  const auto row = std::ranges::find(rows, dtype, &KernelRow::dtype);
  return row == rows.end() ? nullptr : &*row;
}

}  // namespace ptsd::tensor
