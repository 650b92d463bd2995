// SPDX-License-Identifier: Apache-2.0
#include "format/copy_save.h"

#include "base/crc32.h"
#include "format/probe.h"

namespace ptsd::format {
namespace {

std::uint32_t crc_of(const ByteSource& source) {
  std::uint32_t crc = 0;
  each_block(source, 0, source.size(), [&](Bytes block) { crc = crc32(block, crc); });
  return crc;
}

}  // namespace

void CopySave::verify(const ByteSource& written, bool payload, const Limits& limits) const {
  load(written, limits);
  if (written.size() != source_.size() || (payload && crc_of(written) != crc_of(source_))) {
    written.fail(Error::Kind::Io, "read back: other bytes than were written");
  }
}

}  // namespace ptsd::format
