// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "base/error.h"
#include "base/limits.h"
#include "container/name_index.h"
#include "container/zip_directory.h"
#include "container/zip_end.h"
#include "container/zip_layout.h"
#include "container/zip_member.h"
#include "container/zip_slack.h"

// A zip archive, read: what its central directory says, and the bytes of its members.
//
// Opening reads the last 64 KiB and the directory, and no local header. It refuses what two
// readers could read differently: ends and directories that disagree, members that share bytes,
// names that are equal but for case. Local headers are checked when a member's bytes are asked
// for. Borrows the source. const, and safe to use from several threads if the source is.

namespace ptsd::container {

// The bytes of a member, and what was odd about them.
struct Contents {
  std::vector<std::byte> bytes;
  std::optional<Warning> warning = std::nullopt;
};

class ZipReader {
 public:
  ZipReader(const ByteSource& source, const Limits& limits);
  ZipReader(const ZipReader&) = delete;
  ZipReader& operator=(const ZipReader&) = delete;

  const ByteSource& source() const { return source_; }
  // In the order of the directory.
  std::span<const Member> members() const { return directory_.members; }
  std::span<const Warning> warnings() const { return warnings_; }
  // Whether any member has a CRC; PyTorch can be told to write none.
  bool has_checksums() const;
  std::uint64_t directory_offset() const { return directory_.offset; }
  // Where the central header of a member begins.
  std::uint64_t entry_offset(const Member& member) const { return directory_.entry_offset(member); }

  // By its exact name; by its name as PyTorch compares names, ASCII letters without case.
  const Member* find(std::string_view name) const { return index_.find(name); }
  const Member* find_ignoring_case(std::string_view name) const {
    return index_.find_ignoring_case(name);
  }

  // Where the data of a member begin, by its local header, which is checked. One read.
  std::uint64_t data_offset(const Member& member) const { return data_offset(member, source_); }
  // The same by way of `through`, a ReadAhead over the source: for many members in their order.
  std::uint64_t data_offset(const Member& member, const ByteSource& through) const;
  // The same without a read, for the layout that PyTorch writes: nothing when the sizes do not
  // fit it. For display; the bytes are not promised to be there.
  std::optional<std::uint64_t> predicted_data_offset(const Member& member,
                                                     std::uint64_t alignment) const;
  // The inflated bytes, checked against the CRC unless that is 0. More than `limit` throws
  // Error::Limit before anything is allocated.
  Contents read(const Member& member, std::uint64_t limit) const;
  // The same for a member of any size: a stored one stays where it is, after a check of its CRC,
  // and `limit` is for a deflated one, which has to be held in memory. Borrows this.
  std::unique_ptr<ByteSource> open(const Member& member, std::uint64_t limit) const;
  // Without a look at a stored member's bytes: the check of its CRC is left to the caller.
  UncheckedSource open_unchecked(const Member& member, std::uint64_t limit) const;
  // For a look at the beginning: of a deflated member no more is held in memory than is read, and
  // what is not read is not checked. Borrows this.
  std::unique_ptr<ByteSource> peek(const Member& member) const;
  // Every byte of the file accounted for. Reads all local headers.
  Account account() const;

 private:
  void refuse_clash() const;
  void check_start();
  [[noreturn]] void fail(const Member& member, Error::Kind kind, std::string message) const;
  void check_method(const Member& member) const;
  void check_readable(const Member& member, std::uint64_t limit) const;
  void check_crc(const Member& member, std::uint32_t crc) const;
  std::vector<std::byte> read_data(const Member& member, std::uint64_t offset) const;

  const ByteSource& source_;
  std::vector<Warning> warnings_;
  EndRecord end_;
  Directory directory_;
  Layout layout_;
  NameIndex index_;
};

}  // namespace ptsd::container
