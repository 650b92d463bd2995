// SPDX-License-Identifier: Apache-2.0
#include "file/range_copy.h"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <unistd.h>

namespace ptsd::file {
namespace {

// A signal may have to wait until one call is done.
constexpr std::uint64_t kLargestCopy = std::uint64_t{128} << 20;

}  // namespace

std::uint64_t copy_in_kernel(int from, std::uint64_t from_offset, int to, std::uint64_t to_offset,
                             std::uint64_t size) {
  auto in = static_cast<loff_t>(from_offset);
  auto out = static_cast<loff_t>(to_offset);
  std::uint64_t done = 0;
  while (done < size) {
    const std::uint64_t part = std::min(size - done, kLargestCopy);
    // Both offsets are moved on by what was copied.
    const ssize_t got = ::copy_file_range(from, &in, to, &out, static_cast<std::size_t>(part), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::uint64_t>(got);
  }
  return done;
}

}  // namespace ptsd::file
