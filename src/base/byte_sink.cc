// SPDX-License-Identifier: Apache-2.0
#include "base/byte_sink.h"

namespace ptsd {

void ByteSink::copy(const ByteSource& source, std::uint64_t offset, std::uint64_t size) {
  each_block(source, offset, size, [this](Bytes block) { write(block); });
}

void MemorySink::write(Bytes bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

}  // namespace ptsd
