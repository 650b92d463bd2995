// SPDX-License-Identifier: Apache-2.0
#include "container/folded_hash.h"

#include <bit>
#include <cstring>
#include <random>

namespace ptsd::container {
namespace {

struct State {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }

  void absorb(std::uint64_t word) {
    v3 ^= word;
    round();
    v0 ^= word;
  }
};

// At most eight characters of `text`, the rest 0.
std::uint64_t load(std::string_view text) {
  std::uint64_t word = 0;
  std::memcpy(&word, text.data(), text.size());
  return word;
}

template <class Visit>
void for_each_word(std::string_view text, Visit visit) {
  for (; text.size() >= 8; text.remove_prefix(8)) {
    visit(load(text.substr(0, 8)));
  }
  visit(load(text));
}

}  // namespace

HashKey random_hash_key() {
  std::random_device device;
  const auto word = [&device] { return std::uint64_t{device()} << 32 | device(); };
  return {word(), word()};
}

std::uint64_t folded_hash(std::string_view name, const HashKey& key) {
  State state = {key.a ^ 0x736F6D6570736575, key.b ^ 0x646F72616E646F6D, key.a ^ 0x6C7967656E657261,
                 key.b ^ 0x7465646279746573};
  for_each_word(name, [&state](std::uint64_t word) { state.absorb(fold(word)); });
  state.absorb(name.size());
  state.v2 ^= 0xFF;
  for (int i = 0; i < 3; ++i) {
    state.round();
  }
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (; a.size() >= 8; a.remove_prefix(8), b.remove_prefix(8)) {
    if (fold(load(a.substr(0, 8))) != fold(load(b.substr(0, 8)))) return false;
  }
  return fold(load(a)) == fold(load(b));
}

}  // namespace ptsd::container
