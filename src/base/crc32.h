// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "base/byte_source.h"
#include "base/bytes.h"

namespace ptsd {

// The CRC-32 of zip (polynomial 0xEDB88320, reflected). `crc` continues an earlier result.
std::uint32_t crc32(Bytes bytes, std::uint32_t crc = 0);
// Of `size` bytes from `offset` on, read block by block.
std::uint32_t crc32(const ByteSource& source, std::uint64_t offset, std::uint64_t size);

// The CRC of two runs of bytes, one behind the other, from the CRC of each and the size of the
// second, in bytes.
std::uint32_t crc32_combine(std::uint32_t first, std::uint32_t second, std::uint64_t second_size);

}  // namespace ptsd
