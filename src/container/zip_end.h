// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/byte_source.h"
#include "base/error.h"

// The end of a zip archive: the end record, and its zip64 form with the locator if there is one.
// Exactly one end record in the last 64 KiB may have a directory where it says that it is;
// fields that disagree between the two forms, and archives split over disks, are errors.

namespace ptsd::container {

struct EndRecord {
  std::uint64_t directory_offset = 0;  // the directory lies wholly before first_offset()
  std::uint64_t directory_size = 0;
  std::uint64_t count = 0;
  std::optional<std::uint64_t> zip64_offset = std::nullopt;
  std::uint64_t offset = 0;  // of the 32-bit form
  std::uint64_t end = 0;     // past the comment

  std::uint64_t first_offset() const { return zip64_offset.value_or(offset); }
};

EndRecord find_end_record(const ByteSource& source, std::vector<Warning>& warnings);

}  // namespace ptsd::container
