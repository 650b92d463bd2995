// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "container/zip_member.h"

// The records of a zip archive as PyTorch writes them, each appended to `out`.

namespace ptsd::container {

// With the name and the extra fields. `padding` is the number of 'Z', 65535 at most with all.
void append_local_header(std::vector<std::byte>& out, const Member& member, std::uint64_t padding);

// Nothing for an empty member.
void append_descriptor(std::vector<std::byte>& out, const Member& member);

void append_central_header(std::vector<std::byte>& out, const Member& member);

struct DirectoryPlace {
  std::uint64_t count;  // of members
  std::uint64_t directory_offset;
  std::uint64_t directory_size;
};

// The zip64 end record, its locator and the end record, which lie right behind the directory.
void append_ends(std::vector<std::byte>& out, const DirectoryPlace& place);

}  // namespace ptsd::container
