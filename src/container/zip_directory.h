// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/byte_source.h"
#include "base/error.h"
#include "base/limits.h"
#include "container/zip_end.h"
#include "container/zip_member.h"

// The central directory: read in one piece and parsed once. Each entry is checked on its own (its
// extra fields, and that header, name and data lie before the directory); what one entry has to
// do with another is checked elsewhere.

namespace ptsd::container {

struct Directory {
  std::uint64_t offset = 0;
  std::vector<std::byte> bytes = {};
  std::vector<Member> members = {};  // their names are views into `bytes`

  // Where the central header of a member begins in the file.
  std::uint64_t entry_offset(const Member& member) const;
};

Directory read_directory(const ByteSource& source, const EndRecord& end, const Limits& limits,
                         std::vector<Warning>& warnings);

}  // namespace ptsd::container
