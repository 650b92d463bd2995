// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ptsd::container {

// Eight characters at once with ASCII letters made small.
constexpr std::uint64_t fold(std::uint64_t characters) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  const std::uint64_t low = characters & (0x7F * kOnes);
  const std::uint64_t at_least_a = low + (0x80 - 'A') * kOnes;
  const std::uint64_t beyond_z = low + (0x7F - 'Z') * kOnes;
  const std::uint64_t capital = (at_least_a ^ beyond_z) & ~characters & (0x80 * kOnes);
  return characters | capital >> 2;
}
static_assert(fold(0x415A61'7A405BC1'00) == 0x617A61'7A405BC1'00);

struct HashKey {
  std::uint64_t a = 0;
  std::uint64_t b = 0;
};

HashKey random_hash_key();

// SipHash-1-3 of the name with ASCII letters made small.
std::uint64_t folded_hash(std::string_view name, const HashKey& key);

bool equal_ignoring_case(std::string_view a, std::string_view b);

// Both for the standard containers.
struct FoldedHash {
  HashKey key = random_hash_key();
  std::size_t operator()(std::string_view name) const {
    return static_cast<std::size_t>(folded_hash(name, key));
  }
};
struct FoldedEqual {
  bool operator()(std::string_view a, std::string_view b) const {
    return equal_ignoring_case(a, b);
  }
};

}  // namespace ptsd::container
