// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "container/zip_format.h"

namespace ptsd::container {

// One entry of the central directory; what the local header says is checked when it is read.
// There may be millions, so it is kept small. `name` is a view into the directory's bytes, which
// the ZipReader owns.
struct Member {
  std::string_view name = {};
  std::uint64_t header_offset = 0;
  std::uint64_t compressed_size = 0;
  std::uint64_t size = 0;  // inflated
  std::uint32_t crc = 0;   // 0: none was stored
  std::uint16_t method = 0;
  std::uint16_t flags = 0;

  bool is_directory() const { return name.ends_with('/'); }
};
static_assert(sizeof(void*) != 8 || sizeof(Member) == 48);

// Where the data begin if the local header has no extra field at all: never later than they do.
constexpr std::uint64_t least_data_offset(const Member& member) {
  return member.header_offset + local_header::kSize + member.name.size();
}

}  // namespace ptsd::container
