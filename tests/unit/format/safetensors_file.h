// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include <fmt/format.h>

// Safetensors files, put together from texts so that each of them can be wrong.

namespace ptsd::test {

// N, little-endian.
inline std::string safetensors_prefix(std::uint64_t size) {
  std::string bytes;
  for (unsigned i = 0; i < 8; ++i) {
    bytes += static_cast<char>(size >> 8 * i & 0xFF);
  }
  return bytes;
}

inline std::string safetensors_entry(std::string_view name, std::string_view dtype,
                                     std::string_view shape, std::string_view offsets) {
  return fmt::format(R"("{}":{{"dtype":"{}","shape":{},"data_offsets":{}}})", name, dtype, shape,
                     offsets);
}

inline std::string safetensors_header(std::initializer_list<std::string> parts) {
  std::string text;
  for (const std::string& part : parts) {
    text += (text.empty() ? "{" : ",") + part;
  }
  return text.empty() ? "{}" : text + "}";
}

inline std::string safetensors_file(std::string_view header, std::string_view data = "") {
  return safetensors_prefix(header.size()) + std::string(header) + std::string(data);
}

}  // namespace ptsd::test
