// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/element_source.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace ptsd::checkpoint {

void ElementSource::read(std::uint64_t offset, std::span<std::byte> out) const {
  if (offset > size() || out.size() > size() - offset) {
    fail(Error::Kind::Io,
         fmt::format("read of {} bytes at {} of {} that are made", out.size(), offset, size()));
  }
  if (offset % item_size_ == 0 && out.size() % item_size_ == 0) {
    return make(offset / item_size_, out);
  }
  const std::uint64_t first = offset / item_size_;
  const std::uint64_t cut = offset % item_size_;
  const std::uint64_t count = (cut + out.size() + item_size_ - 1) / item_size_;
  std::vector<std::byte> whole(count * item_size_);
  make(first, whole);
  std::ranges::copy(std::span(whole).subspan(cut, out.size()), out.begin());
}

}  // namespace ptsd::checkpoint
