// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "base/limits.h"
#include "container/record_reader.h"
#include "container/zip_reader.h"
#include "format/assembly.h"
#include "format/storage_bytes.h"

namespace ptsd::format {

// How many bytes all compressed pickles of an archive may have, inflated.
std::uint64_t most_inflated(const Limits& limits);

// What is said of records of storages that no tensor uses.
std::string orphans_text(const FileFacts& facts);

// A zip archive, opened. Borrows the source.
class ZipArchive {
 public:
  ZipArchive(const ByteSource& archive, const Limits& limits)
      : source(archive), zip(archive, limits), limits_(limits) {}

  const ByteSource& source;
  const container::ZipReader zip;

  // What PyTorch sees in it. Made when it is first asked for, and not by two threads: an archive of
  // another kind may have no root, which throws Error::Malformed.
  const container::RecordReader& records() const {
    if (!records_) records_.emplace(zip);
    return *records_;
  }
  // "<root>/<record>"
  std::string path_of(std::string_view record) const;
  [[noreturn]] void fail(Error::Kind kind, std::string_view record, std::string message) const;
  // Throws Error::Malformed for a record that is not there, Error::Limit for a larger one. What is
  // odd about its bytes goes to the assembly.
  std::vector<std::byte> read(std::string_view record, std::uint64_t most,
                              Assembly& assembly) const;
  // The same for a record of which much more is made than its bytes, a pickle or a config: what is
  // compressed is bounded for all of them together. Not by two threads.
  std::vector<std::byte> read_pickle(std::string_view record, Assembly& assembly) const;
  container::Contents read_pickle(const container::Member& member) const;
  // The text of a small record, without blanks at its end; empty if there is none.
  std::string text(std::string_view record, Assembly& assembly) const;
  // Throws Error::Unsupported if the record "byteorder" says big.
  void check_byteorder(Assembly& assembly) const;
  // What PyTorch would refuse of the record that holds the version of the archive's format.
  std::vector<Warning> version_warnings() const;
  // Whatever is odd about the archive as such.
  void warn_all(Assembly& assembly) const;
  // Of records in this folder, with this end, that nothing was made of.
  void warn_of_orphans(Assembly& assembly, std::string_view folder, std::string_view suffix,
                       const std::set<const container::Member*>& used) const;

 private:
  const container::Member& member(std::string_view record) const;

  Limits limits_;
  mutable std::optional<container::RecordReader> records_;
  mutable std::uint64_t inflated_pickles_ = 0;  // bytes
};

// The bytes of a member, which it borrows with the archive.
class MemberBytes final : public StorageBytes {
 public:
  MemberBytes(const ZipArchive& archive, const container::Member& member, const Limits& limits)
      : archive_(archive), member_(member), most_(limits.inflated_bytes) {}

  std::uint64_t size() const override { return member_.size; }
  std::optional<StoredRange> range() const override;
  std::unique_ptr<ByteSource> open() const override { return archive_.zip.open(member_, most_); }
  UncheckedSource open_unchecked() const override {
    return archive_.zip.open_unchecked(member_, most_);
  }

 private:
  const ZipArchive& archive_;
  const container::Member& member_;
  std::uint64_t most_;  // bytes, inflated
};

}  // namespace ptsd::format
