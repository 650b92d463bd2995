// SPDX-License-Identifier: Apache-2.0
#include "container/zip_directory.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/byte_reader.h"
#include "base/checked.h"
#include "base/quote.h"
#include "container/zip_extra.h"
#include "container/zip_format.h"
#include "container/zip_hint.h"

namespace ptsd::container {
namespace {

// Members are numbered with 32 bits, and one number is kept for "none".
constexpr std::uint64_t kMostMembers = std::numeric_limits<std::uint32_t>::max() - 1;

// A finding that any number of entries may share: told once, at the first of them.
struct Finding {
  std::uint64_t count = 0;
  std::uint64_t position = 0;
  std::string_view name = {};

  void note(std::uint64_t at, std::string_view member) {
    if (count++ > 0) return;
    position = at;
    name = member;
  }
};

class Parser {
 public:
  Parser(Bytes bytes, const Where& origin) : reader_(bytes, origin), directory_(*origin.offset) {}

  std::vector<Member> parse(std::uint64_t count);
  Bytes rest() { return reader_.take(reader_.remaining(), "the central directory"); }
  void warn(std::vector<Warning>& warnings) const;

 private:
  Member parse_entry();
  void read_extra(Member& member, std::uint64_t size);
  void note_unicode_path(const ExtraField& field, const Member& member);
  void check_sizes(const Member& member) const;
  void check_place(const Member& member) const;
  [[noreturn]] void fail_entry(std::string message,
                               Error::Kind kind = Error::Kind::Malformed) const {
    reader_.fail_at(entry_, kind, std::move(message));
  }

  ByteReader reader_;
  std::uint64_t directory_;  // its offset in the file
  std::uint64_t entry_ = 0;  // the position of the entry at hand
  Finding unicode_paths_;
};

std::vector<Member> Parser::parse(std::uint64_t count) {
  std::vector<Member> members;
  members.reserve(std::min(count, reader_.remaining() / central_header::kSize));
  for (std::uint64_t i = 0; i < count; ++i) {
    if (reader_.remaining() == 0) {
      reader_.fail(Error::Kind::Malformed,
                   fmt::format("the end record counts {} entries, the central directory holds {}",
                               count, i));
    }
    members.push_back(parse_entry());
  }
  return members;
}

Member Parser::parse_entry() {
  entry_ = reader_.position();
  const Bytes header = reader_.take(central_header::kSize, "a central header");
  if (get(header, kSignatureField) != central_header::kSignature) {
    fail_entry(
        fmt::format("{:#010x} where a central header should begin", get(header, kSignatureField)));
  }
  Member member = {.header_offset = get(header, central_header::kHeaderOffset),
                   .compressed_size = get(header, central_header::kCompressedSize),
                   .size = get(header, central_header::kUncompressedSize),
                   .crc = get(header, central_header::kCrc),
                   .method = get(header, central_header::kMethod),
                   .flags = get(header, central_header::kFlags)};
  member.name =
      as_text(reader_.take(get(header, central_header::kNameSize), "the name of a member"));
  read_extra(member, get(header, central_header::kExtraSize));
  reader_.take(get(header, central_header::kCommentSize), "the comment of a member");
  if (const unsigned disk = get(header, central_header::kDisk); disk != 0) {
    fail_entry(fmt::format("part of a split archive: {} is on disk {}", quote(member.name), disk),
               Error::Kind::Unsupported);
  }
  check_sizes(member);
  check_place(member);
  return member;
}

void Parser::read_extra(Member& member, std::uint64_t size) {
  const Zip64Values values = {member.size, member.compressed_size, &member.header_offset};
  const bool wanted = values.wanted();
  if (size == 0 && !wanted) return;
  ExtraFields fields(reader_, size);
  bool found = false;
  while (const auto field = fields.next()) {
    if (field->id == extra::kUnicodePath) note_unicode_path(*field, member);
    if (field->id != extra::kZip64) continue;
    if (std::exchange(found, true)) {
      fail_entry(fmt::format("extra field 0x0001 (zip64) of {} stands twice", quote(member.name)));
    }
    apply_zip64(reader_, *field, values);
  }
  if (wanted && !found) {
    fail_entry(fmt::format(
        "the header of {} leaves values to extra field 0x0001 (zip64), which is missing",
        quote(member.name)));
  }
}

// Version, CRC of the raw name, and the name in UTF-8, which Info-ZIP prefers.
void Parser::note_unicode_path(const ExtraField& field, const Member& member) {
  const auto path = checked_subview(field.data, 5, std::max<std::size_t>(field.data.size(), 5) - 5);
  if (!path || as_text(*path) != member.name) unicode_paths_.note(entry_, member.name);
}

void Parser::check_sizes(const Member& member) const {
  if (member.method != method::kStored || (member.flags & flag::kEncrypted) != 0) return;
  if (member.size == member.compressed_size) return;
  fail_entry(fmt::format("{} is stored, and said to be {} bytes that make {}", quote(member.name),
                         member.compressed_size, member.size));
}

void Parser::check_place(const Member& member) const {
  auto end =
      checked_add<std::uint64_t>(member.header_offset, local_header::kSize + member.name.size());
  if (end) end = checked_add(*end, member.compressed_size);
  if (end && *end <= directory_) return;
  fail_entry(
      fmt::format("{} has its header at {:#x} and {} bytes of data, but the central "
                  "directory begins at {:#x}",
                  quote(member.name), member.header_offset, member.compressed_size, directory_));
}

void Parser::warn(std::vector<Warning>& warnings) const {
  if (unicode_paths_.count == 0) return;
  warnings.push_back(
      {reader_.where(unicode_paths_.position),
       fmt::format("{} members have another name in extra field 0x7075 (Unicode path), which "
                   "PyTorch ignores; the first is {}",
                   unicode_paths_.count, quote(unicode_paths_.name))});
}

[[noreturn]] void fail_hidden(const ByteSource& source, std::uint64_t offset, std::uint64_t count,
                              const std::string& entries) {
  source.fail_at(
      offset, Error::Kind::Malformed,
      fmt::format("the end record counts {} entries, but more follow: {}", count, entries));
}

// Entries that the end record does not count, which a reader that walks the signatures sees:
// within what it calls the directory, and between that and itself.
void check_rest(const ByteSource& source, const EndRecord& end, Bytes uncounted) {
  const std::uint64_t directory_end = end.directory_offset + end.directory_size;
  const std::uint64_t offset = directory_end - uncounted.size();
  if (const std::string entries = central_header_hint(uncounted); !entries.empty()) {
    fail_hidden(source, offset, end.count, entries);
  }
  if (!uncounted.empty()) {
    source.fail_at(
        offset, Error::Kind::Malformed,
        fmt::format("the central directory holds {} bytes after its last entry", uncounted.size()));
  }
  constexpr std::uint64_t kSearched = 64 << 10;
  const std::uint64_t gap = std::min(end.first_offset() - directory_end, kSearched);
  const std::string entries = central_header_hint(source.read(directory_end, gap));
  if (!entries.empty()) fail_hidden(source, directory_end, end.count, entries);
}

void check_limits(const ByteSource& source, const EndRecord& end, const Limits& limits) {
  if (end.directory_size > limits.directory_bytes) {
    source.fail_at(end.directory_offset, Error::Kind::Limit,
                   fmt::format("the central directory is {} bytes, directory-bytes allows {}",
                               end.directory_size, limits.directory_bytes));
  }
  if (end.count > kMostMembers) {
    source.fail_at(end.first_offset(), Error::Kind::Limit,
                   fmt::format("{} entries, at most {} can be read", end.count, kMostMembers));
  }
}

}  // namespace

std::uint64_t Directory::entry_offset(const Member& member) const {
  const auto* name = reinterpret_cast<const std::byte*>(member.name.data());
  return offset + static_cast<std::uint64_t>(name - bytes.data()) - central_header::kSize;
}

Directory read_directory(const ByteSource& source, const EndRecord& end, const Limits& limits,
                         std::vector<Warning>& warnings) {
  check_limits(source, end, limits);
  Directory directory = {.offset = end.directory_offset,
                         .bytes = source.read(end.directory_offset, end.directory_size)};
  const Where origin = {.file = source.name(), .offset = directory.offset};
  Parser parser(directory.bytes, origin);
  directory.members = parser.parse(end.count);
  check_rest(source, end, parser.rest());
  parser.warn(warnings);
  return directory;
}

}  // namespace ptsd::container
