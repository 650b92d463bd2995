// SPDX-License-Identifier: Apache-2.0
#include "format/copy_save.h"

#include "base/crc32.h"
#include "format/probe.h"

namespace ptsd::format {

void CopySave::verify(const ByteSource& written, bool payload, const Limits& limits) const {
  load(written, limits);
  const std::uint64_t size = source_.size();
  if (written.size() != size || (payload && crc32(written, 0, size) != crc32(source_, 0, size))) {
    fail_read_back({.file = written.name()}, "other bytes than were written");
  }
}

}  // namespace ptsd::format
