// SPDX-License-Identifier: Apache-2.0
#include "container/zip_records.h"

#include <algorithm>
#include <array>
#include <concepts>
#include <limits>

#include "base/bytes.h"
#include "container/zip_format.h"

namespace ptsd::container {
namespace {

constexpr std::uint16_t kVersionToInflate = 20;
constexpr std::uint32_t kFolderAttribute = 0x10;
// Of the zip64 end record: version 3.0 on Unix made it, 4.5 is needed.
constexpr std::uint16_t kEndMadeBy = 0x031E;
constexpr std::uint16_t kEndNeeds = 45;

template <class T>
constexpr T saturated(std::uint64_t value) {
  return static_cast<T>(std::min<std::uint64_t>(value, std::numeric_limits<T>::max()));
}

constexpr std::uint16_t version_needed(const Member& member) {
  return member.method == method::kDeflate ? kVersionToInflate : 0;
}

void append(std::vector<std::byte>& out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

template <std::unsigned_integral T>
void append_number(std::vector<std::byte>& out, T value) {
  std::array<std::byte, sizeof(T)> bytes = {};
  put(bytes, Field<T>{0}, value);
  append(out, bytes);
}

void append_extra_header(std::vector<std::byte>& out, std::uint16_t id, std::uint64_t size) {
  append_number(out, id);
  append_number(out, static_cast<std::uint16_t>(size));
}

// In the local header `compressed_size` is 0: PyTorch does not know it yet.
void append_zip64(std::vector<std::byte>& out, const Member& member,
                  std::uint64_t compressed_size) {
  const std::uint64_t size = torch_zip64_field_size(member.header_offset, member.size);
  if (size == 0) return;
  append_extra_header(out, extra::kZip64, size - extra::kHeaderSize);
  if (member.size >= kMarker32) {
    append_number(out, member.size);
    append_number(out, compressed_size);
  }
  if (member.header_offset >= kMarker32) append_number(out, member.header_offset);
}

void append_zip64_end(std::vector<std::byte>& out, const DirectoryPlace& place) {
  std::array<std::byte, zip64_end::kSize> record = {};
  put(record, kSignatureField, zip64_end::kSignature);
  put(record, zip64_end::kRecordSize, zip64_end::kSize - zip64_end::kUncounted);
  put(record, zip64_end::kVersionMadeBy, kEndMadeBy);
  put(record, zip64_end::kVersionNeeded, kEndNeeds);
  put(record, zip64_end::kCountOnDisk, place.count);
  put(record, zip64_end::kCount, place.count);
  put(record, zip64_end::kDirectorySize, place.directory_size);
  put(record, zip64_end::kDirectoryOffset, place.directory_offset);
  append(out, record);
}

void append_locator(std::vector<std::byte>& out, std::uint64_t end_offset) {
  std::array<std::byte, zip64_locator::kSize> record = {};
  put(record, kSignatureField, zip64_locator::kSignature);
  put(record, zip64_locator::kEndOffset, end_offset);
  put(record, zip64_locator::kDiskCount, 1);
  append(out, record);
}

// Each field saturates on its own.
void append_end(std::vector<std::byte>& out, const DirectoryPlace& place) {
  const auto count = saturated<std::uint16_t>(place.count);
  std::array<std::byte, end_record::kSize> record = {};
  put(record, kSignatureField, end_record::kSignature);
  put(record, end_record::kCountOnDisk, count);
  put(record, end_record::kCount, count);
  put(record, end_record::kDirectorySize, saturated<std::uint32_t>(place.directory_size));
  put(record, end_record::kDirectoryOffset, saturated<std::uint32_t>(place.directory_offset));
  append(out, record);
}

}  // namespace

void append_local_header(std::vector<std::byte>& out, const Member& member, std::uint64_t padding) {
  namespace local = local_header;
  const std::uint64_t zip64 = torch_zip64_field_size(member.header_offset, member.size);
  const std::uint64_t extra_size = zip64 + extra::kHeaderSize + padding;
  std::array<std::byte, local::kSize> header = {};
  put(header, kSignatureField, local::kSignature);
  put(header, local::kVersionNeeded, version_needed(member));
  put(header, local::kFlags, member.flags);
  put(header, local::kMethod, member.method);
  put(header, local::kNameSize, static_cast<std::uint16_t>(member.name.size()));
  put(header, local::kExtraSize, static_cast<std::uint16_t>(extra_size));
  out.reserve(out.size() + header.size() + member.name.size() + extra_size);
  append(out, header);
  append(out, as_bytes(member.name));
  append_zip64(out, member, 0);
  append_extra_header(out, extra::kPadding, padding);
  out.resize(out.size() + padding, extra::kPaddingByte);
}

void append_descriptor(std::vector<std::byte>& out, const Member& member) {
  const std::uint64_t size = torch_descriptor_size(member.header_offset, member.size);
  if (size == 0) return;
  append_number(out, descriptor::kSignature);
  append_number(out, member.crc);
  for (const std::uint64_t value : {member.compressed_size, member.size}) {
    if (size == descriptor::kZip64Size) {
      append_number(out, value);
    } else {
      append_number(out, static_cast<std::uint32_t>(value));
    }
  }
}

void append_central_header(std::vector<std::byte>& out, const Member& member) {
  namespace central = central_header;
  std::array<std::byte, central::kSize> header = {};
  put(header, kSignatureField, central::kSignature);
  put(header, central::kVersionNeeded, version_needed(member));
  put(header, central::kFlags, member.flags);
  put(header, central::kMethod, member.method);
  put(header, central::kCrc, member.crc);
  put(header, central::kCompressedSize, saturated<std::uint32_t>(member.compressed_size));
  put(header, central::kUncompressedSize, saturated<std::uint32_t>(member.size));
  put(header, central::kNameSize, static_cast<std::uint16_t>(member.name.size()));
  put(header, central::kExtraSize,
      static_cast<std::uint16_t>(torch_zip64_field_size(member.header_offset, member.size)));
  put(header, central::kExternalAttributes, member.is_directory() ? kFolderAttribute : 0);
  put(header, central::kHeaderOffset, saturated<std::uint32_t>(member.header_offset));
  append(out, header);
  append(out, as_bytes(member.name));
  append_zip64(out, member, member.compressed_size);
}

void append_ends(std::vector<std::byte>& out, const DirectoryPlace& place) {
  append_zip64_end(out, place);
  append_locator(out, place.directory_offset + place.directory_size);
  append_end(out, place);
}

}  // namespace ptsd::container
