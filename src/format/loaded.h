// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/byte_source.h"
#include "base/error.h"
#include "checkpoint/checkpoint.h"
#include "container/record_reader.h"
#include "format/sharding.h"
#include "format/storage_bytes.h"

namespace ptsd::format {

struct LegacyLayout;

// What a file is, besides its content.
struct FileFacts {
  std::string_view format = {};  // "torch-zip"
  std::uint64_t bytes = 0;
  std::string root = {};    // the folder in the archive
  std::string writer = {};  // "torch 2.7 or later"
  unsigned protocol = 0;    // of the pickle; meaningless without one
  bool has_pickle = true;   // false: what torch.load would do is no question
  std::string byteorder = "little";
  bool byteorder_recorded = true;               // false: the file does not say, little is assumed
  std::optional<std::uint64_t> alignment = {};  // bytes
  bool has_checksums = true;
  std::uint64_t orphan_records = 0;  // data that no tensor uses
  std::uint64_t orphan_bytes = 0;
  std::string left_out = {};  // what the file holds and the checkpoint cannot, for messages
  std::optional<Sharding> sharding = {};  // of a checkpoint in several files
};

// An opened checkpoint, whatever its container. Owns everything that the checkpoint borrows.
class Loaded {
 public:
  virtual ~Loaded() = default;

  virtual const FileFacts& facts() const = 0;
  virtual const checkpoint::Checkpoint& checkpoint() const = 0;
  virtual checkpoint::Checkpoint& checkpoint() = 0;
  // The records, where the container is an archive of torch.save; else null.
  virtual const container::RecordReader* archive() const { return nullptr; }
  // The parts of the file, where it is a legacy stream; else null.
  virtual const LegacyLayout* legacy() const { return nullptr; }
  // Of records that hold data no storage of the pickle is bound to.
  virtual std::unordered_set<std::string> orphan_keys() const { return {}; }
  // Where the bytes of a storage lie as they are; nothing where they do not.
  virtual std::optional<StoredRange> range(checkpoint::StorageId storage) const = 0;
  // The offset of that, at less cost.
  virtual std::optional<std::uint64_t> file_offset(checkpoint::StorageId storage) const = 0;
  // The name of the file they lie in, where it is another than the one that was opened.
  virtual std::optional<std::string> other_file(checkpoint::StorageId) const {
    return std::nullopt;
  }
  // The bytes of a storage, uncompressed, after a check of their CRC. Borrows this.
  virtual std::unique_ptr<ByteSource> open_storage(checkpoint::StorageId storage) const = 0;
  // The same without the check, which is left to the caller. Borrows this.
  virtual UncheckedSource open_unchecked(checkpoint::StorageId storage) const = 0;
  // What was odd about the container; costs a read of every record's header.
  virtual std::vector<Warning> audit() const = 0;
  virtual std::vector<Warning> warnings() const = 0;
};

}  // namespace ptsd::format
