// SPDX-License-Identifier: Apache-2.0
#include "format/zip_archive.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/quote.h"

namespace ptsd::format {

using container::Member;

namespace {

// A pickle takes some 20 times its bytes in memory, and 1000 of these fit into a compressed one: so
// it is bounded more tightly. torch.save compresses none.
constexpr std::uint64_t kCompressedPickles = 128;  // part of what one may have that is stored
constexpr std::uint64_t kLargestText = 4096;       // bytes of a small record

std::vector<std::byte> bytes_of(container::Contents contents, Assembly& assembly) {
  if (contents.warning) assembly.warn(std::move(*contents.warning));
  return std::move(contents.bytes);
}

[[noreturn]] void fail_inflated(const Where& where, std::uint64_t size, std::uint64_t most) {
  throw Error(Error::Kind::Limit, where,
              fmt::format("compressed, and {} bytes inflated: {} are allowed of the compressed "
                          "pickles of an archive, a 128th of --limit pickle-bytes=N",
                          size, most));
}

}  // namespace

std::string orphans_text(const FileFacts& facts) {
  return fmt::format("no tensor uses {} of the storage records ({} bytes)", facts.orphan_records,
                     facts.orphan_bytes);
}

std::uint64_t most_inflated(const Limits& limits) {
  return limits.pickle_bytes / kCompressedPickles;
}

std::string ZipArchive::path_of(std::string_view record) const {
  if (record.empty()) return "";
  return fmt::format("{}/{}", records().root(), record);
}

void ZipArchive::fail(Error::Kind kind, std::string_view record, std::string message) const {
  throw Error(kind, {.file = source.name(), .member = path_of(record)}, std::move(message));
}

const Member& ZipArchive::member(std::string_view record) const {
  const Member* const member = records().record(record);
  if (member == nullptr) fail(Error::Kind::Malformed, record, "there is no such record");
  return *member;
}

std::vector<std::byte> ZipArchive::read(std::string_view record, std::uint64_t most,
                                        Assembly& assembly) const {
  return bytes_of(zip.read(member(record), most), assembly);
}

std::vector<std::byte> ZipArchive::read_pickle(std::string_view record, Assembly& assembly) const {
  return bytes_of(read_pickle(member(record)), assembly);
}

container::Contents ZipArchive::read_pickle(const Member& member) const {
  if (member.method != container::method::kStored) {
    const std::uint64_t most = most_inflated(limits_);
    if (member.size > most - inflated_pickles_) {
      fail_inflated({.file = source.name(), .member = std::string(member.name)}, member.size, most);
    }
    inflated_pickles_ += member.size;
  }
  return zip.read(member, limits_.pickle_bytes);
}

std::string ZipArchive::text(std::string_view record, Assembly& assembly) const {
  if (records().record(record) == nullptr) return "";
  const std::vector<std::byte> bytes = read(record, kLargestText, assembly);
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

// PyTorchFileReader takes .data/version before version, and the numbers 1 to 10.
std::vector<Warning> ZipArchive::version_warnings() const {
  std::vector<Warning> warnings;
  const auto warn = [&](std::string_view record, std::string message) {
    warnings.push_back({
        {.file = source.name(), .member = path_of(record)},
        std::move(message)
    });
  };
  const bool hidden = records().record(".data/version") != nullptr;
  const std::string_view record = hidden ? ".data/version" : "version";
  const Member* const member = records().record(record);
  if (member == nullptr) {
    warn("", "no record 'version': torch.load refuses the file");
    return warnings;
  }
  container::Contents contents = zip.read(*member, kLargestText);
  if (contents.warning) warnings.push_back(std::move(*contents.warning));
  const std::string_view text = as_text(contents.bytes);
  const std::string_view digits =
      text.substr(std::min(text.find_first_not_of(" \t\n"), text.size()));
  unsigned version = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
  if (error != std::errc() || version < 1 || version > 10) {
    warn(record, fmt::format("version is {}, torch.load takes 1 to 10", quote(text)));
  }
  return warnings;
}

void ZipArchive::warn_of_orphans(Assembly& assembly, std::string_view folder,
                                 std::string_view suffix,
                                 const std::set<const Member*>& used) const {
  FileFacts orphans;
  for (const container::Record& record : records().records()) {
    if (!record.name.starts_with(folder) || !record.name.ends_with(suffix)) continue;
    if (used.contains(record.member)) continue;
    ++orphans.orphan_records;
    orphans.orphan_bytes += record.member->size;
  }
  if (orphans.orphan_records == 0) return;
  assembly.facts().orphan_records += orphans.orphan_records;
  assembly.facts().orphan_bytes += orphans.orphan_bytes;
  assembly.warn({
      {.file = source.name(), .member = path_of(folder)},
      orphans_text(orphans)
  });
}

void ZipArchive::warn_all(Assembly& assembly) const {
  for (const Warning& warning : version_warnings()) {
    assembly.warn(warning);
  }
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
