// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/byte_source.h"
#include "base/error.h"

namespace ptsd::pickle {

// The bytes of the pickle that begins at `offset` (bytes) of a source, up to and including STOP.
// What follows may be gigabytes: its end is found by going from opcode to opcode, in a window, and
// no argument that has a length is read on the way. `origin` names the pickle in errors, its offset
// is where that begins. Throws Error::Malformed for what is no pickle or ends without STOP, and
// Error::Limit for one of more than `most` bytes.
std::vector<std::byte> read_stream(const ByteSource& source, std::uint64_t offset,
                                   std::uint64_t most, const Where& origin);

}  // namespace ptsd::pickle
