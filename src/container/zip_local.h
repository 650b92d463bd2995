// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/byte_source.h"
#include "container/zip_member.h"

namespace ptsd::container {

// Reads the local header of `member` and says where the data begin. The header must have the
// name, method, flags, sizes and CRC of the central one; with flag bit 3 each size and the CRC
// may be 0, as PyTorch leaves them. `limit` is where the next thing in the file begins: data that
// reach beyond it throw Error::Malformed. An encrypted member throws Error::Unsupported.
std::uint64_t checked_data_offset(const ByteSource& source, const Member& member,
                                  std::uint64_t limit);

}  // namespace ptsd::container
