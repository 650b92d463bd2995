// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>

#include "base/byte_source.h"

// pread until all is there.

namespace ptsd::file {

// Fills `out` from `offset` on of the open file behind `source`, which gives the errors their
// name: Error::Io when the file cannot be read or ends before.
void read_at(const ByteSource& source, int descriptor, std::uint64_t offset,
             std::span<std::byte> out);

}  // namespace ptsd::file
