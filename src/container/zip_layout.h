// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/byte_source.h"
#include "container/zip_member.h"

namespace ptsd::container {

// The members in the order of their place in the file, which is nearly always that of the
// directory. Building it proves, without reading a local header, that no two members share
// bytes: one that needs more than lies before the next header throws Error::Malformed. A local
// extra field can still make one too long; whoever reads a local header asks limit() then.
// Borrows the members.
class Layout {
 public:
  Layout(const ByteSource& source, std::span<const Member> members, std::uint64_t directory_offset);

  std::size_t size() const { return members_.size(); }
  // The `rank`-th member by place.
  const Member& at(std::size_t rank) const;
  // Where the next header begins, or the directory: this member must end before it.
  std::uint64_t limit(const Member& member) const { return limit_at(rank(member)); }
  std::uint64_t limit_at(std::size_t rank) const;

 private:
  std::size_t rank(const Member& member) const;

  std::span<const Member> members_;
  std::uint64_t directory_offset_;
  std::vector<std::uint32_t> order_;  // empty: the order of the directory
};

}  // namespace ptsd::container
