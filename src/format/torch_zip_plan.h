// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/byte_source.h"
#include "checkpoint/draft.h"
#include "container/zip_placement.h"
#include "format/payload_writer.h"

// What an archive of torch.save will hold, member by member, before a byte of it is written.

namespace ptsd::format {

struct SaveOptions {
  bool checksums = true;                        // false: CRC 0 everywhere
  std::optional<std::uint64_t> alignment = {};  // bytes; nothing: as in the input
  bool force = false;                           // drop what lies behind the end of the pickle
  std::string root = "archive";                 // the folder in an archive that has no model
};

// Bytes as they lie in an input, compressed or not.
struct CopiedRange {
  const ByteSource* source;
  std::uint64_t offset;
  std::uint32_t crc;
};

// Bytes that are read, and perhaps made, as they are written.
struct StreamedPayload {
  checkpoint::Payload payload;
};

struct InMemory {
  std::vector<std::byte> bytes;
};

// ".data/serialization_id", which hangs on all that was written before.
struct IdRecord {};

struct PlannedMember {
  container::NewMember member;
  std::variant<CopiedRange, StreamedPayload, InMemory, IdRecord> content;
  std::uint32_t crc = 0;  // known once it is written
};

struct ZipPlan {
  std::vector<PlannedMember> members = {};
  std::uint64_t alignment = container::kDefaultAlignment;
  std::uint64_t names_half = 0;  // of the serialization id
  bool checksums = true;
};

// A stored member; where the bytes lie in a file with a CRC, they are copied.
PlannedMember planned(std::string name, const checkpoint::Payload& payload, Inputs inputs);
PlannedMember in_memory(std::string name, std::vector<std::byte> bytes);
PlannedMember in_memory(std::string name, std::string_view text);

// --align, else the default. Throws Error::Usage for one that does not fit an archive.
std::uint64_t usable_alignment(const SaveOptions& options, std::optional<std::uint64_t> input);

// The archive of the first input, with what the draft changes. What it does not change keeps its
// bytes, its CRC, its name and its place: unknown records too. Throws Error::Conflict for an
// archive that cannot be written again.
ZipPlan plan_edit(const checkpoint::Draft& draft, Inputs inputs, const SaveOptions& options);

// An archive as PyTorch 2.7 and later write it, of whatever the inputs are. Storages get the
// numbers of their first mention as keys.
ZipPlan plan_new(const checkpoint::Draft& draft, Inputs inputs, const SaveOptions& options);

}  // namespace ptsd::format
