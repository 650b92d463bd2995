// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/byte_reader.h"
#include "base/bytes.h"
#include "container/zip_format.h"

namespace ptsd::container {

struct ExtraField {
  std::uint16_t id = 0;
  Bytes data;
  std::uint64_t position = 0;  // of its id, in the reader's bytes
};

// The extra fields of one header. The reader stands at the first of them. A field that is longer
// than what remains throws Error::Malformed with its id.
class ExtraFields {
 public:
  ExtraFields(ByteReader& reader, std::uint64_t size);

  std::optional<ExtraField> next();

 private:
  ByteReader& reader_;
  std::uint64_t end_;
};

// The 64-bit forms of those header fields that hold kMarker32, in their order in the field.
struct Zip64Values {
  std::uint64_t& size;
  std::uint64_t& compressed_size;
  std::uint64_t* header_offset = nullptr;  // absent from a local header

  bool wanted() const {
    return size == kMarker32 || compressed_size == kMarker32 ||
           (header_offset != nullptr && *header_offset == kMarker32);
  }
};

// Replaces the markers by the values of `field`, which must have one for each. Whatever follows
// them is left alone: PyTorch writes the header offset into the local field too.
void apply_zip64(const ByteReader& reader, const ExtraField& field, const Zip64Values& values);

}  // namespace ptsd::container
