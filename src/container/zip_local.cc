// SPDX-License-Identifier: Apache-2.0
#include "container/zip_local.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/byte_reader.h"
#include "base/quote.h"
#include "container/zip_extra.h"
#include "container/zip_format.h"

namespace ptsd::container {
namespace {

struct FlagRow {
  std::uint16_t bit;
  std::string_view what;
};

constexpr auto kRefusedFlags = std::to_array<FlagRow>({
    {flag::kEncrypted,        "is encrypted"               },
    {flag::kPatched,          "is compressed patched data" },
    {flag::kStrongEncryption, "is strongly encrypted"      },
    {flag::kMasked,           "has its local header masked"},
});

// The local header of one member, held against the central one.
class LocalHeader {
 public:
  LocalHeader(const ByteSource& source, const Member& member, std::uint64_t limit)
      : source_(source),
        member_(member),
        limit_(limit),
        // Header and name lie before `limit`: the central directory was checked for that.
        bytes_(source.read(member.header_offset, local_header::kSize + member.name.size())) {}

  std::uint64_t checked_data_offset() const;

 private:
  void check_signature() const;
  void check_flags() const;
  void check_name() const;
  void check_values() const;
  void check_value(std::string_view what, std::uint64_t local, std::uint64_t central) const;
  void check_deferred(std::string_view what, std::uint64_t local, std::uint64_t central) const;
  void read_zip64(std::uint64_t& size, std::uint64_t& compressed_size) const;
  [[noreturn]] void fail(std::string message, Error::Kind kind = Error::Kind::Malformed) const {
    source_.fail_at(member_.header_offset, kind, std::move(message));
  }

  template <class T>
  T value(Field<T> field) const {
    return get(bytes_, field);
  }

  const ByteSource& source_;
  const Member& member_;
  std::uint64_t limit_;
  std::vector<std::byte> bytes_;
};

std::uint64_t LocalHeader::checked_data_offset() const {
  check_signature();
  check_flags();
  check_name();
  const std::uint64_t offset = least_data_offset(member_) + value(local_header::kExtraSize);
  if (offset > limit_ || member_.compressed_size > limit_ - offset) {
    fail(fmt::format("{} has {} bytes of data at {:#x}, but {:#x} belongs to what follows",
                     quote(member_.name), member_.compressed_size, offset, limit_));
  }
  check_values();
  return offset;
}

void LocalHeader::check_signature() const {
  const std::uint32_t signature = value(kSignatureField);
  if (signature == local_header::kSignature) return;
  fail(fmt::format("{:#010x} where the local header of {} should begin", signature,
                   quote(member_.name)));
}

void LocalHeader::check_flags() const {
  for (const FlagRow& row : kRefusedFlags) {
    if ((member_.flags & row.bit) == 0) continue;
    fail(fmt::format("{} {}", quote(member_.name), row.what), Error::Kind::Unsupported);
  }
  check_value("flags", value(local_header::kFlags), member_.flags);
  check_value("method", value(local_header::kMethod), member_.method);
}

void LocalHeader::check_name() const {
  const std::uint64_t size = value(local_header::kNameSize);
  const std::string_view name = as_text(Bytes(bytes_).subspan(local_header::kSize));
  if (size == member_.name.size() && name == member_.name) return;
  if (size > limit_ - member_.header_offset - local_header::kSize) {
    fail(fmt::format("the local header of {} has a name of {} bytes", quote(member_.name), size));
  }
  const auto local = source_.read(member_.header_offset + local_header::kSize, size);
  fail(fmt::format("two names: {} in the local header, {} in the central directory",
                   quote(as_text(local)), quote(member_.name)));
}

// A marker without a zip64 field stays what it is, and is equal to no central value.
void LocalHeader::check_values() const {
  std::uint64_t size = value(local_header::kUncompressedSize);
  std::uint64_t compressed_size = value(local_header::kCompressedSize);
  read_zip64(size, compressed_size);
  check_deferred("CRC", value(local_header::kCrc), member_.crc);
  check_deferred("compressed size", compressed_size, member_.compressed_size);
  check_deferred("size", size, member_.size);
}

void LocalHeader::check_value(std::string_view what, std::uint64_t local,
                              std::uint64_t central) const {
  if (local == central) return;
  fail(
      fmt::format("two values for the {} of {}: {:#x} in the local header, {:#x} in the central "
                  "directory",
                  what, quote(member_.name), local, central));
}

void LocalHeader::check_deferred(std::string_view what, std::uint64_t local,
                                 std::uint64_t central) const {
  const bool left_to_descriptor = (member_.flags & flag::kDescriptor) != 0 && local == 0;
  if (!left_to_descriptor) check_value(what, local, central);
}

void LocalHeader::read_zip64(std::uint64_t& size, std::uint64_t& compressed_size) const {
  const Zip64Values values = {size, compressed_size};
  if (!values.wanted()) return;
  const Where origin = {.file = source_.name(), .offset = least_data_offset(member_)};
  const auto bytes = source_.read(*origin.offset, value(local_header::kExtraSize));
  ByteReader reader(bytes, origin);
  ExtraFields fields(reader, bytes.size());
  while (const auto field = fields.next()) {
    if (field->id == extra::kZip64) return apply_zip64(reader, *field, values);
  }
}

}  // namespace

std::uint64_t checked_data_offset(const ByteSource& source, const Member& member,
                                  std::uint64_t limit) {
  return LocalHeader(source, member, limit).checked_data_offset();
}

}  // namespace ptsd::container
