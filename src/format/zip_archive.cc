// SPDX-License-Identifier: Apache-2.0
#include "format/zip_archive.h"

#include <utility>

#include <fmt/format.h>

#include "base/quote.h"

namespace ptsd::format {

using container::Member;

std::string ZipArchive::path_of(std::string_view record) const {
  if (record.empty()) return "";
  return fmt::format("{}/{}", records().root(), record);
}

void ZipArchive::fail(Error::Kind kind, std::string_view record, std::string message) const {
  throw Error(kind, {.file = source.name(), .member = path_of(record)}, std::move(message));
}

std::vector<std::byte> ZipArchive::read(std::string_view record, std::uint64_t most,
                                        Assembly& assembly) const {
  const Member* const member = records().record(record);
  if (member == nullptr) fail(Error::Kind::Malformed, record, "there is no such record");
  container::Contents contents = zip.read(*member, most);
  if (contents.warning) assembly.warn(std::move(*contents.warning));
  return std::move(contents.bytes);
}

std::string ZipArchive::text(std::string_view record, Assembly& assembly) const {
  constexpr std::uint64_t kLargest = 4096;
  if (records().record(record) == nullptr) return "";
  const std::vector<std::byte> bytes = read(record, kLargest, assembly);
  std::string text(as_text(bytes));
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

void ZipArchive::check_byteorder(Assembly& assembly) const {
  const std::string order = text("byteorder", assembly);
  assembly.facts().byteorder_recorded = !order.empty();
  if (order.empty() || order == "little") return;
  fail(Error::Kind::Unsupported, "byteorder",
       fmt::format("byte order is {}, expected 'little'", quote(order)));
}

void ZipArchive::warn_all(Assembly& assembly) const {
  for (const Warning& warning : zip.warnings()) {
    assembly.warn(warning);
  }
  for (const Warning& warning : records().warnings()) {
    assembly.warn(warning);
  }
}

std::optional<StoredRange> MemberBytes::range() const {
  if (member_.method != container::method::kStored) return std::nullopt;
  return StoredRange{
      .source = &archive_.source,
      .offset = archive_.zip.data_offset(member_),
      .size = member_.size,
      .crc = archive_.zip.has_checksums() ? std::optional(member_.crc) : std::nullopt};
}

}  // namespace ptsd::format
