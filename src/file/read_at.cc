// SPDX-License-Identifier: Apache-2.0
#include "file/read_at.h"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

#include <fmt/format.h>

#include "file/failure.h"

namespace ptsd::file {
namespace {

// Linux moves at most this many bytes in one call.
constexpr std::size_t kLargestRead = 0x7ffff000;

}  // namespace

void read_at(const ByteSource& source, int descriptor, std::uint64_t offset,
             std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t got = ::pread(descriptor, out.data(), std::min(out.size(), kLargestRead),
                                static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) source.fail_at(offset, Error::Kind::Io, "cannot read: " + reason(errno));
    if (got == 0) {
      source.fail_at(offset, Error::Kind::Io,
                     fmt::format("changed while reading: {} more bytes wanted, the file ends here",
                                 out.size()));
    }
    offset += static_cast<std::uint64_t>(got);
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace ptsd::file
