// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/byte_sink.h"
#include "base/byte_source.h"
#include "base/read_ahead.h"
#include "checkpoint/draft.h"
#include "container/zip_placement.h"
#include "container/zip_reader.h"
#include "format/loaded.h"
#include "format/save.h"

// Writes a draft as torch.save would: the twin of torch_zip. Everything is planned and checked
// before a byte is written. What the draft does not change keeps its bytes, its CRC, its name and
// its place: unknown records too.
//
// Two records hang on the others. ".format_version" promises that storages lie in the order of
// their first mention, "0" first; with ".storage_alignment" it goes where that does not hold.
// ".data/serialization_id" holds a sum of CRCs, which is made anew where the input's was right.

namespace ptsd::format {

struct SaveOptions {
  bool checksums = true;                        // false: CRC 0 everywhere
  std::optional<std::uint64_t> alignment = {};  // bytes; nothing: as in the input
  bool force = false;                           // drop what lies behind the end of the pickle
};

class TorchZipSave final : public Save {
 public:
  // Borrows the inputs, of which the first is that of the draft. Throws Error::Unsupported for an
  // input that is no archive, Error::Conflict for one that cannot be written again.
  TorchZipSave(const checkpoint::Draft& draft, std::span<const Loaded* const> inputs,
               const SaveOptions& options);

  std::uint64_t size() const override { return size_; }
  void write(ByteSink& sink) override;
  void verify(const ByteSource& written, bool payload, const Limits& limits) const override;

 private:
  // Bytes as they lie in an input, compressed or not.
  struct Range {
    const ByteSource* source;
    std::uint64_t offset;
    std::uint32_t crc;
  };
  // Bytes that are made as they are written.
  struct Derived {
    std::shared_ptr<const ByteSource> source;
  };
  struct Memory {
    std::vector<std::byte> bytes;
  };
  struct IdRecord {};
  using Content = std::variant<Range, Derived, Memory, IdRecord>;

  struct Planned {
    container::NewMember member;
    Content content;
    std::uint32_t crc = 0;  // known once it is written
  };

  class Planner;

  std::uint32_t write(const Planned& planned, ByteSink& data, std::uint64_t folded,
                      ReadAheads& small) const;
  std::uint32_t checksum(Bytes bytes) const;
  void verify(const container::ZipReader& zip, const container::Member& member,
              const Planned& planned, bool payload) const;

  std::vector<Planned> members_;
  std::uint64_t alignment_ = 0;
  std::uint64_t names_half_ = 0;  // of the serialization id
  bool checksums_ = true;
  std::uint64_t size_ = 0;
};

}  // namespace ptsd::format
