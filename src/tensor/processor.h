// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

// One loop compiled for several processors, all in one program: a Processor runs a Loop whose run()
// is inlined into a function that may use the instructions it names. A loop gives the same bits on
// every processor; only kernels (compiled with -O3 and without contraction) include this.

namespace ptsd::tensor {

// Elements are not aligned.
template <class T>
[[gnu::always_inline]] inline T load(const std::byte* bytes, std::size_t index) {
  T value;
  std::memcpy(&value, bytes + index * sizeof(T), sizeof(T));
  return value;
}

template <class T>
[[gnu::always_inline]] inline void store(std::byte* bytes, std::size_t index, T value) {
  std::memcpy(bytes + index * sizeof(T), &value, sizeof(T));
}

// The condition as a mask, which unlike a bool vectorises beside numbers of this size.
template <class Mask>
[[gnu::always_inline]] inline Mask mask_if(bool condition) {
  return static_cast<Mask>(-static_cast<Mask>(condition));
}

struct AnyProcessor {
  static bool runs_here() { return true; }

  template <class Loop, class Result, class... Arguments>
  static Result run(Arguments... arguments) {
    return Loop::run(arguments...);
  }
};

#if defined(__x86_64__)
struct Avx2 {
  static bool runs_here() { return __builtin_cpu_supports("avx2"); }

  template <class Loop, class Result, class... Arguments>
  [[gnu::target("avx2")]] static Result run(Arguments... arguments) {
    return Loop::run(arguments...);
  }
};

struct Avx512 {
  static bool runs_here() {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  }

  template <class Loop, class Result, class... Arguments>
  [[gnu::target("avx512f,avx512bw,avx512vl,avx512dq")]] static Result run(Arguments... arguments) {
    return Loop::run(arguments...);
  }
};
#endif

// What `make` makes for each kind of processor: the fastest first, the last runs anywhere.
template <class Make>
constexpr auto for_each_processor(Make make) {
  return std::array {
#if defined(__x86_64__)
    make.template operator()<Avx512>(), make.template operator()<Avx2>(),
#endif
        make.template operator()<AnyProcessor>(),
  };
}

template <class Tables>
const auto& first_that_runs(const Tables& tables) {
  return *std::ranges::find_if(tables, [](const auto& table) { return table.runs_here(); });
}

}  // namespace ptsd::tensor
