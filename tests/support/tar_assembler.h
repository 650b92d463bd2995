// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace ptsd::test {

// The header with the sum of its bytes, as if that were blanks.
inline std::string tar_checked(std::string header) {
  header.replace(148, 8, 8, ' ');
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < 512; ++i) {
    sum += static_cast<unsigned char>(header[i]);
  }
  header.replace(148, 6, fmt::format("{:06o}", sum));
  header[154] = '\0';
  return header;
}

// A member of a tar archive: its header, and its data up to a whole block.
inline std::string tar_member(std::string_view name, std::string_view data, char type = '0') {
  std::string header(512, '\0');
  header.replace(0, name.size(), name);
  header.replace(124, 11, fmt::format("{:011o}", data.size()));
  header[156] = type;
  header.replace(257, 5, "ustar");
  return tar_checked(header).append(data).append((512 - data.size() % 512) % 512, '\0');
}

// The same with this in its size field of 12 bytes.
inline std::string tar_member_of_size(std::string_view size_field, std::string_view data) {
  std::string member = tar_member("a", data);
  member.replace(124, 12, std::string(size_field).append(12 - size_field.size(), '\0'));
  return tar_checked(member);
}

inline std::string tar_end() {
  return std::string(1024, '\0');
}

}  // namespace ptsd::test
