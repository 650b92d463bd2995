// SPDX-License-Identifier: Apache-2.0
#include "container/zip_extra.h"

#include <fmt/format.h>

namespace ptsd::container {

ExtraFields::ExtraFields(ByteReader& reader, std::uint64_t size)
    : reader_(reader), end_(reader.position() + size) {
  if (size > reader.remaining()) {
    reader.fail(Error::Kind::Malformed, fmt::format("the extra fields are said to be {} bytes, {} "
                                                    "are left",
                                                    size, reader.remaining()));
  }
}

std::optional<ExtraField> ExtraFields::next() {
  const std::uint64_t left = end_ - reader_.position();
  if (left == 0) return std::nullopt;
  const std::uint64_t position = reader_.position();
  if (left < extra::kHeaderSize) {
    reader_.fail(Error::Kind::Malformed,
                 fmt::format("{} stray bytes after the last extra field", left));
  }
  const std::uint16_t id = reader_.u16_le("an extra field");
  const std::uint16_t size = reader_.u16_le("an extra field");
  if (size > left - extra::kHeaderSize) {
    reader_.fail_at(position, Error::Kind::Malformed,
                    fmt::format("extra field {:#06x} is said to be {} bytes, {} are left", id, size,
                                left - extra::kHeaderSize));
  }
  return ExtraField{.id = id, .data = reader_.take(size, "an extra field"), .position = position};
}

void apply_zip64(const ByteReader& reader, const ExtraField& field, const Zip64Values& values) {
  std::size_t position = 0;
  for (std::uint64_t* value : {&values.size, &values.compressed_size, values.header_offset}) {
    if (value == nullptr || *value != kMarker32) continue;
    if (field.data.size() - position < sizeof(*value)) {
      reader.fail_at(field.position, Error::Kind::Malformed,
                     fmt::format("extra field 0x0001 (zip64) is {} bytes, too short for what the "
                                 "header leaves to it",
                                 field.data.size()));
    }
    *value = get(field.data, Field<std::uint64_t>{position});
    position += sizeof(*value);
  }
}

}  // namespace ptsd::container
