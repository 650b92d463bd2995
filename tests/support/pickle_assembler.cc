// SPDX-License-Identifier: Apache-2.0
#include "support/pickle_assembler.h"

#include <bit>

namespace ptsd::test {

PickleAssembler& PickleAssembler::raw(std::string_view bytes) {
  text_ += bytes;
  return *this;
}

PickleAssembler& PickleAssembler::u(std::uint64_t value, unsigned size) {
  for (unsigned i = 0; i < size; ++i) {
    text_ += static_cast<char>(value >> 8 * i & 0xFF);
  }
  return *this;
}

PickleAssembler& PickleAssembler::binfloat(double value) {
  op(pickle::Op::BinFloat);
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (int shift = 56; shift >= 0; shift -= 8) {
    text_ += static_cast<char>(bits >> shift & 0xFF);
  }
  return *this;
}

std::vector<std::byte> PickleAssembler::bytes() const {
  const Bytes view = as_bytes(text_);
  return {view.begin(), view.end()};
}

}  // namespace ptsd::test
