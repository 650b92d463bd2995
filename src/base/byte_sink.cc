// SPDX-License-Identifier: Apache-2.0
#include "base/byte_sink.h"

#include <algorithm>

namespace ptsd {

void ByteSink::copy(const ByteSource& source, std::uint64_t offset, std::uint64_t size) {
  constexpr std::uint64_t kBlock = std::uint64_t{1} << 20;
  std::vector<std::byte> block(std::min(size, kBlock));
  for (std::uint64_t done = 0; done < size;) {
    const std::span<std::byte> part(block.data(), std::min(size - done, kBlock));
    source.read(offset + done, part);
    write(part);
    done += part.size();
  }
}

void MemorySink::write(Bytes bytes) {
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

}  // namespace ptsd
