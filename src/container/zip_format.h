// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "base/bytes.h"

// The facts of the zip format (PKWARE APPNOTE 6.3) that its reader and its writer share, and the
// layout that PyTorch gives to its archives:
//
//   { local header (30) | name | zip64 field? | "FB" field | data | data descriptor? (16, 24) }*
//   { central header (46) | name | zip64 field? }*
//   zip64 end record (56) | zip64 locator (20) | end record (22) | comment
//
// PyTorch leaves crc and sizes in the local header 0 (flag bit 3), pads with an extra field "FB"
// until the data of every member begin at a multiple of the alignment, and writes the zip64 end
// record and locator always. All integers are little-endian.

namespace ptsd::container {

// An integer at a fixed place of a record.
template <std::unsigned_integral T>
struct Field {
  std::size_t offset;
};

template <class T>
constexpr std::size_t end_of(Field<T> field) {
  return field.offset + sizeof(T);
}

// The caller has made sure that the whole record is there.
template <class T>
constexpr T get(Bytes record, Field<T> field) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value | std::to_integer<T>(record[field.offset + i]) << (8 * i));
  }
  return value;
}

template <class T>
constexpr void put(std::span<std::byte> record, Field<T> field, std::type_identity_t<T> value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    record[field.offset + i] = static_cast<std::byte>(value >> (8 * i));
  }
}

inline constexpr Field<std::uint32_t> kSignatureField = {0};

namespace local_header {
inline constexpr std::uint32_t kSignature = 0x04034B50;  // "PK\3\4"
inline constexpr std::size_t kSize = 30;
inline constexpr Field<std::uint16_t> kVersionNeeded = {4};
inline constexpr Field<std::uint16_t> kFlags = {6};
inline constexpr Field<std::uint16_t> kMethod = {8};
inline constexpr Field<std::uint16_t> kTime = {10};
inline constexpr Field<std::uint16_t> kDate = {12};
inline constexpr Field<std::uint32_t> kCrc = {14};
inline constexpr Field<std::uint32_t> kCompressedSize = {18};
inline constexpr Field<std::uint32_t> kUncompressedSize = {22};
inline constexpr Field<std::uint16_t> kNameSize = {26};
inline constexpr Field<std::uint16_t> kExtraSize = {28};
static_assert(end_of(kExtraSize) == kSize);
}  // namespace local_header

namespace central_header {
inline constexpr std::uint32_t kSignature = 0x02014B50;  // "PK\1\2"
inline constexpr std::size_t kSize = 46;
inline constexpr Field<std::uint16_t> kVersionMadeBy = {4};
inline constexpr Field<std::uint16_t> kVersionNeeded = {6};
inline constexpr Field<std::uint16_t> kFlags = {8};
inline constexpr Field<std::uint16_t> kMethod = {10};
inline constexpr Field<std::uint16_t> kTime = {12};
inline constexpr Field<std::uint16_t> kDate = {14};
inline constexpr Field<std::uint32_t> kCrc = {16};
inline constexpr Field<std::uint32_t> kCompressedSize = {20};
inline constexpr Field<std::uint32_t> kUncompressedSize = {24};
inline constexpr Field<std::uint16_t> kNameSize = {28};
inline constexpr Field<std::uint16_t> kExtraSize = {30};
inline constexpr Field<std::uint16_t> kCommentSize = {32};
inline constexpr Field<std::uint16_t> kDisk = {34};
inline constexpr Field<std::uint16_t> kInternalAttributes = {36};
inline constexpr Field<std::uint32_t> kExternalAttributes = {38};
inline constexpr Field<std::uint32_t> kHeaderOffset = {42};
static_assert(end_of(kHeaderOffset) == kSize);
}  // namespace central_header

namespace end_record {
inline constexpr std::uint32_t kSignature = 0x06054B50;  // "PK\5\6"
inline constexpr std::size_t kSize = 22;
inline constexpr std::size_t kLargestComment = 0xFFFF;
inline constexpr Field<std::uint16_t> kDisk = {4};
inline constexpr Field<std::uint16_t> kDirectoryDisk = {6};
inline constexpr Field<std::uint16_t> kCountOnDisk = {8};
inline constexpr Field<std::uint16_t> kCount = {10};
inline constexpr Field<std::uint32_t> kDirectorySize = {12};
inline constexpr Field<std::uint32_t> kDirectoryOffset = {16};
inline constexpr Field<std::uint16_t> kCommentSize = {20};
static_assert(end_of(kCommentSize) == kSize);
}  // namespace end_record

namespace zip64_locator {
inline constexpr std::uint32_t kSignature = 0x07064B50;  // "PK\6\7"
inline constexpr std::size_t kSize = 20;
inline constexpr Field<std::uint32_t> kDisk = {4};
inline constexpr Field<std::uint64_t> kEndOffset = {8};
inline constexpr Field<std::uint32_t> kDiskCount = {16};
static_assert(end_of(kDiskCount) == kSize);
}  // namespace zip64_locator

namespace zip64_end {
inline constexpr std::uint32_t kSignature = 0x06064B50;  // "PK\6\6"
inline constexpr std::size_t kSize = 56;
inline constexpr std::size_t kUncounted = 12;  // the bytes that kRecordSize does not count
inline constexpr Field<std::uint64_t> kRecordSize = {4};
inline constexpr Field<std::uint16_t> kVersionMadeBy = {12};
inline constexpr Field<std::uint16_t> kVersionNeeded = {14};
inline constexpr Field<std::uint32_t> kDisk = {16};
inline constexpr Field<std::uint32_t> kDirectoryDisk = {20};
inline constexpr Field<std::uint64_t> kCountOnDisk = {24};
inline constexpr Field<std::uint64_t> kCount = {32};
inline constexpr Field<std::uint64_t> kDirectorySize = {40};
inline constexpr Field<std::uint64_t> kDirectoryOffset = {48};
static_assert(end_of(kDirectoryOffset) == kSize);
}  // namespace zip64_end

// With its signature, which the specification leaves optional. Crc, compressed size,
// uncompressed size.
namespace descriptor {
inline constexpr std::uint32_t kSignature = 0x08074B50;  // "PK\7\10"
inline constexpr std::size_t kSize = 16;
inline constexpr std::size_t kZip64Size = 24;
}  // namespace descriptor

namespace flag {
inline constexpr std::uint16_t kEncrypted = 0x0001;
inline constexpr std::uint16_t kDescriptor = 0x0008;
inline constexpr std::uint16_t kPatched = 0x0020;
inline constexpr std::uint16_t kStrongEncryption = 0x0040;
inline constexpr std::uint16_t kUtf8 = 0x0800;
inline constexpr std::uint16_t kMasked = 0x2000;  // local headers hidden
}  // namespace flag

namespace method {
inline constexpr std::uint16_t kStored = 0;
inline constexpr std::uint16_t kDeflate = 8;
}  // namespace method

// No deflate stream makes more of one byte: 258 bytes from two bits.
inline constexpr std::uint64_t kLargestDeflateRatio = 1032;

namespace extra {
inline constexpr std::size_t kHeaderSize = 4;  // id, size
inline constexpr std::uint16_t kZip64 = 0x0001;
inline constexpr std::uint16_t kUnicodePath = 0x7075;
inline constexpr std::uint16_t kPadding = 0x4246;  // "FB"
inline constexpr std::byte kPaddingByte{'Z'};
inline constexpr std::uint64_t kLargestSize = 0xFFFF;
}  // namespace extra

// A field that holds this has its value in a zip64 record.
inline constexpr std::uint16_t kMarker16 = 0xFFFF;
inline constexpr std::uint32_t kMarker32 = 0xFFFFFFFF;

// PyTorch's layout. `size` is the uncompressed size also for a deflated member.

inline constexpr std::uint64_t kDefaultAlignment = 64;

constexpr bool torch_uses_zip64(std::uint64_t header_offset, std::uint64_t size) {
  return header_offset >= kMarker32 || size >= kMarker32;
}

// The zip64 extra field with its header; the same size in the local and in the central header.
constexpr std::uint64_t torch_zip64_field_size(std::uint64_t header_offset, std::uint64_t size) {
  if (!torch_uses_zip64(header_offset, size)) return 0;
  return extra::kHeaderSize + (size >= kMarker32 ? 16u : 0u) +
         (header_offset >= kMarker32 ? 8u : 0u);
}

// 64-bit also for a small member whose header merely lies beyond 4 GiB.
constexpr std::uint64_t torch_descriptor_size(std::uint64_t header_offset, std::uint64_t size) {
  if (size == 0) return 0;
  return torch_uses_zip64(header_offset, size) ? descriptor::kZip64Size : descriptor::kSize;
}

constexpr std::uint16_t torch_flags(std::uint64_t size) {
  return size == 0 ? flag::kUtf8 : flag::kUtf8 | flag::kDescriptor;
}

// The bytes of 'Z' in the "FB" field. `alignment` is not 0.
constexpr std::uint64_t torch_padding_size(std::uint64_t header_offset, std::uint64_t name_size,
                                           std::uint64_t size, std::uint64_t alignment) {
  const std::uint64_t unpadded = header_offset + local_header::kSize + name_size +
                                 torch_zip64_field_size(header_offset, size) + extra::kHeaderSize;
  return (alignment - unpadded % alignment) % alignment;
}

constexpr std::uint64_t torch_data_offset(std::uint64_t header_offset, std::uint64_t name_size,
                                          std::uint64_t size, std::uint64_t alignment) {
  return header_offset + local_header::kSize + name_size +
         torch_zip64_field_size(header_offset, size) + extra::kHeaderSize +
         torch_padding_size(header_offset, name_size, size, alignment);
}

// Measured in archives that PyTorch wrote, one small and one beyond 4 GiB.
static_assert(torch_data_offset(0, 11, 228, 64) == 64);
static_assert(torch_padding_size(0, 11, 228, 64) == 19);
static_assert(torch_zip64_field_size(0x1AE, 0x1'0000'0010) == 20);
static_assert(torch_zip64_field_size(0x1'0000'0228, 12) == 12);
static_assert(torch_descriptor_size(0x1'0000'0228, 12) == 24);

}  // namespace ptsd::container
