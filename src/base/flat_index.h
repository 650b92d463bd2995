// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ptsd {

// A hash set of numbers of things that lie elsewhere: 8 to 16 bytes each, and nothing to free one
// by one. It does not grow: say how many there will be.
class FlatIndex {
 public:
  explicit FlatIndex(std::size_t most) : slots_(std::bit_ceil(2 * most + 1), 0) {}

  // The number of an equal thing that is here already, or `number` itself, which is then here.
  // `equal(n)` compares the thing with number n with the one at hand.
  template <class Equal>
  std::uint32_t find_or_insert(std::uint64_t hash, std::uint32_t number, Equal equal) {
    const std::size_t mask = slots_.size() - 1;
    // Fibonacci hashing: the upper bits of the product are the mixed ones.
    std::size_t slot = hash * 0x9E3779B97F4A7C15u >> 32 & mask;
    while (slots_[slot] != 0) {
      if (equal(slots_[slot] - 1)) return slots_[slot] - 1;
      slot = (slot + 1) & mask;
    }
    slots_[slot] = number + 1;
    return number;
  }

 private:
  std::vector<std::uint32_t> slots_;  // from 1; 0: free
};

}  // namespace ptsd
