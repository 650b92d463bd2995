// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "container/folded_hash.h"
#include "container/zip_format.h"
#include "container/zip_member.h"

// Where the members of an archive in PyTorch's layout lie, decided one behind the other before a
// byte is written. Refuses what the layout cannot hold (Error::Limit) and what its reader would
// refuse (Error::Conflict).

namespace ptsd::container {

// What a member to be written is, before its bytes are there.
struct NewMember {
  std::string name;
  std::uint64_t size = 0;             // inflated
  std::uint64_t compressed_size = 0;  // of the bytes to be written; equal to size if stored
  std::uint16_t method = method::kStored;
};

// The padding field and the largest zip64 field share the 65535 bytes of extra fields.
inline constexpr std::uint64_t kLargestAlignment =
    extra::kLargestSize - 2 * extra::kHeaderSize - 3 * sizeof(std::uint64_t) + 1;

// The bytes of central directory that PyTorch reads. Its bound of 2^32 - 1 members is beyond it.
inline constexpr std::uint64_t kLargestDirectory = 0xFFFFFFFF;

class Placement {
 public:
  explicit Placement(std::uint64_t alignment);
  Placement(const Placement&) = delete;
  Placement& operator=(const Placement&) = delete;

  // The member at its place; its CRC is 0. Lives as long as this.
  Member& add(const NewMember& member);
  const std::deque<Member>& members() const { return members_; }
  std::uint64_t alignment() const { return alignment_; }
  std::uint64_t data_offset(const Member& member) const;
  std::uint64_t padding_size(const Member& member) const;
  // Where the directory begins if nothing is added.
  std::uint64_t directory_offset() const { return end_; }
  std::uint64_t directory_size() const { return directory_size_; }
  // Of the whole file. Throws Error::Conflict if there is no member: PyTorch finds its root in
  // the first.
  std::uint64_t file_size() const;

 private:
  std::string_view keep_name(const std::string& name);
  void place(Member& member);

  std::uint64_t alignment_;
  std::unordered_set<std::string, FoldedHash, FoldedEqual> names_;
  std::deque<Member> members_;
  std::uint64_t end_ = 0;
  std::uint64_t directory_size_ = 0;
};

// Where everything will lie.
struct ArchivePlan {
  std::vector<std::uint64_t> data_offsets;  // of the members, in their order
  std::uint64_t directory_offset = 0;
  std::uint64_t size = 0;  // of the file
};

// Throws what writing these members would throw.
ArchivePlan plan(std::span<const NewMember> members, std::uint64_t alignment);

}  // namespace ptsd::container
