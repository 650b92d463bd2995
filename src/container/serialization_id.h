// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The record ".data/serialization_id" (PyTorch 2.1 and later): 40 decimal digits, two numbers of
// 20. Nobody checks it; PyTorch logs it.

namespace ptsd::container {

struct SerializationId {
  // Of the set of record names. Hangs on the standard library that PyTorch was built with, so it
  // cannot be made anew.
  std::uint64_t names = 0;
  // Of the CRCs of all members that are not empty and were written before, in that order, below.
  std::uint64_t contents = 0;

  bool operator==(const SerializationId&) const = default;
};

// `contents` with one more member, from 0. A member without a checksum counts as a CRC of 0.
constexpr std::uint64_t fold_crc(std::uint64_t contents, std::uint32_t crc) {
  return contents ^ (std::uint64_t{crc} + 0x9E3779B9 + (contents << 6) + (contents >> 2));
}

std::string to_string(const SerializationId& id);
// Nothing unless the text is 40 digits, and each half fits.
std::optional<SerializationId> parse_serialization_id(std::string_view text);

}  // namespace ptsd::container
