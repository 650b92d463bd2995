// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

// Bytes from file to file inside the kernel: no copy through our memory, and none at all where
// the file system can share blocks.

namespace ptsd::file {

// Copies up to `size` bytes between the two open files and returns how many were copied, from the
// start of the range on. Fewer means that the kernel cannot go on (other file systems, no room,
// the end of the input, an error): reading and writing the rest by hand works, or finds out which
// side is at fault.
std::uint64_t copy_in_kernel(int from, std::uint64_t from_offset, int to, std::uint64_t to_offset,
                             std::uint64_t size);

}  // namespace ptsd::file
