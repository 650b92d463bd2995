// SPDX-License-Identifier: Apache-2.0
#include "base/read_ahead.h"

#include <algorithm>

namespace ptsd {

bool ReadAhead::has(std::uint64_t offset, std::uint64_t size) const {
  if (offset < begin_ || offset - begin_ > window_.size()) return false;
  return size <= window_.size() - (offset - begin_);
}

void ReadAhead::read(std::uint64_t offset, std::span<std::byte> out) const {
  // Behind the end, the source says what is wrong.
  const bool there = offset <= size() && out.size() <= size() - offset;
  if (out.size() > kLargest || !there) return source_.read(offset, out);
  if (!has(offset, out.size())) {
    window_ = source_.read(offset, std::min(kWindow, size() - offset));
    begin_ = offset;
  }
  std::ranges::copy(std::span(window_).subspan(offset - begin_, out.size()), out.begin());
}

}  // namespace ptsd
