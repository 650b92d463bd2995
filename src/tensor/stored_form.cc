// SPDX-License-Identifier: Apache-2.0
#include "tensor/stored_form.h"

#include <algorithm>
#include <bit>

namespace ptsd::tensor {
namespace {

// The sign bit of a float lies in its last byte.
static_assert(std::endian::native == std::endian::little, "elements are in this byte order");

// The sign of every second number, or of each.
void flip_signs(std::span<std::byte> numbers, std::size_t size, std::size_t first,
                std::size_t step) {
  for (std::size_t i = first; i < numbers.size() / size; i += step) {
    numbers[(i + 1) * size - 1] ^= std::byte{0x80};
  }
}

// Two's complement.
void negate(std::span<std::byte> integer) {
  bool carry = true;
  for (std::byte& byte : integer) {
    const auto sum = static_cast<unsigned>(~byte & std::byte{0xFF}) + (carry ? 1u : 0u);
    byte = static_cast<std::byte>(sum & 0xFF);
    carry = sum > 0xFF;
  }
}

}  // namespace

void to_values(DType dtype, const StoredForm& form, std::span<std::byte> elements) {
  const std::size_t size = component_size(dtype);
  if (form.swapped && size > 1) {
    for (std::size_t at = 0; at < elements.size(); at += size) {
      std::ranges::reverse(elements.subspan(at, size));
    }
  }
  if (form.conj && is_complex(dtype)) flip_signs(elements, size, 1, 2);
  if (!form.neg) return;
  if (is_complex(dtype) || is_floating(dtype)) return flip_signs(elements, size, 0, 1);
  for (std::size_t at = 0; at < elements.size(); at += size) {
    negate(elements.subspan(at, size));
  }
}

}  // namespace ptsd::tensor
