// SPDX-License-Identifier: Apache-2.0
#include "container/zip_layout.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "base/quote.h"

namespace ptsd::container {
namespace {

[[noreturn]] void fail_overlap(const ByteSource& source, const Member& first,
                               const Member& second) {
  if (first.header_offset == second.header_offset) {
    source.fail_at(
        first.header_offset, Error::Kind::Malformed,
        fmt::format("{} and {} share one local header", quote(first.name), quote(second.name)));
  }
  source.fail_at(
      second.header_offset, Error::Kind::Malformed,
      fmt::format("{} begins inside {}, which reaches to {:#x} at least", quote(second.name),
                  quote(first.name), least_data_offset(first) + first.compressed_size));
}

}  // namespace

Layout::Layout(const ByteSource& source, std::span<const Member> members,
               std::uint64_t directory_offset)
    : members_(members), directory_offset_(directory_offset) {
  if (!std::ranges::is_sorted(members, {}, &Member::header_offset)) {
    order_.resize(members.size());
    std::iota(order_.begin(), order_.end(), std::uint32_t{0});
    // Ties are settled by index, so that the message does not depend on the library.
    std::ranges::sort(
        order_, {}, [members](std::uint32_t i) { return std::pair(members[i].header_offset, i); });
  }
  for (std::size_t i = 1; i < members.size(); ++i) {
    const Member& before = at(i - 1);
    // The directory has checked that this sum does not wrap.
    if (least_data_offset(before) + before.compressed_size > at(i).header_offset) {
      fail_overlap(source, before, at(i));
    }
  }
}

const Member& Layout::at(std::size_t rank) const {
  return members_[order_.empty() ? rank : order_[rank]];
}

std::uint64_t Layout::limit_at(std::size_t rank) const {
  return rank + 1 == size() ? directory_offset_ : at(rank + 1).header_offset;
}

std::size_t Layout::rank(const Member& member) const {
  if (order_.empty()) return static_cast<std::size_t>(&member - members_.data());
  const auto found =
      std::ranges::lower_bound(order_, member.header_offset, {},
                               [this](std::uint32_t i) { return members_[i].header_offset; });
  return static_cast<std::size_t>(found - order_.begin());
}

}  // namespace ptsd::container
