// SPDX-License-Identifier: Apache-2.0
#include "container/zip_end.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/checked.h"
#include "container/zip_format.h"
#include "container/zip_hint.h"

namespace ptsd::container {
namespace {

constexpr std::uint64_t kTailSize = end_record::kSize + end_record::kLargestComment;

// Why a place is not the end record it looks like.
struct Defect {
  std::uint64_t offset;
  std::string message;
  Error::Kind kind = Error::Kind::Malformed;
};

struct Candidate {
  EndRecord record;
  std::uint64_t comment_size = 0;
  std::optional<Defect> defect = std::nullopt;
};

// What both forms of the end record hold.
struct Fields {
  std::uint64_t disk = 0;
  std::uint64_t directory_disk = 0;
  std::uint64_t count_on_disk = 0;
  std::uint64_t count = 0;
  std::uint64_t directory_size = 0;
  std::uint64_t directory_offset = 0;
};

struct FieldRow {
  std::uint64_t Fields::*field;
  std::uint64_t marker;
  std::string_view name;
};

constexpr auto kFieldRows = std::to_array<FieldRow>({
    {&Fields::disk,             kMarker16, "disk number"          },
    {&Fields::directory_disk,   kMarker16, "disk of the directory"},
    {&Fields::count_on_disk,    kMarker16, "entries on this disk" },
    {&Fields::count,            kMarker16, "entries"              },
    {&Fields::directory_size,   kMarker32, "directory size"       },
    {&Fields::directory_offset, kMarker32, "directory offset"     },
});

Fields fields_of_end(Bytes record) {
  return {.disk = get(record, end_record::kDisk),
          .directory_disk = get(record, end_record::kDirectoryDisk),
          .count_on_disk = get(record, end_record::kCountOnDisk),
          .count = get(record, end_record::kCount),
          .directory_size = get(record, end_record::kDirectorySize),
          .directory_offset = get(record, end_record::kDirectoryOffset)};
}

Fields fields_of_zip64(Bytes record) {
  return {.disk = get(record, zip64_end::kDisk),
          .directory_disk = get(record, zip64_end::kDirectoryDisk),
          .count_on_disk = get(record, zip64_end::kCountOnDisk),
          .count = get(record, zip64_end::kCount),
          .directory_size = get(record, zip64_end::kDirectorySize),
          .directory_offset = get(record, zip64_end::kDirectoryOffset)};
}

// The record at `offset` if it is all there and has the signature.
template <std::size_t Size>
std::optional<std::array<std::byte, Size>> record_at(const ByteSource& source, std::uint64_t offset,
                                                     std::uint32_t signature) {
  if (offset > source.size() || Size > source.size() - offset) return std::nullopt;
  std::array<std::byte, Size> record;
  source.read(offset, record);
  if (get(record, kSignatureField) != signature) return std::nullopt;
  return record;
}

std::optional<Defect> disagreement(const Fields& fields, const Fields& wide, std::uint64_t offset) {
  for (const FieldRow& row : kFieldRows) {
    const std::uint64_t narrow_value = fields.*row.field;
    if (narrow_value == row.marker || narrow_value == wide.*row.field) continue;
    return Defect{offset,
                  fmt::format("the end record and the zip64 end record disagree: {} {} and {}",
                              row.name, narrow_value, wide.*row.field)};
  }
  return std::nullopt;
}

// Replaces `fields` by those of the zip64 end record if there is one.
std::optional<Defect> follow_locator(const ByteSource& source, EndRecord& record, Fields& fields) {
  if (record.offset < zip64_locator::kSize) return std::nullopt;
  const std::uint64_t locator_offset = record.offset - zip64_locator::kSize;
  const auto locator =
      record_at<zip64_locator::kSize>(source, locator_offset, zip64_locator::kSignature);
  if (!locator) return std::nullopt;
  const std::uint64_t offset = get(*locator, zip64_locator::kEndOffset);
  const auto zip64 = record_at<zip64_end::kSize>(source, offset, zip64_end::kSignature);
  if (!zip64) {
    return Defect{
        locator_offset,
        fmt::format("the zip64 locator points to {:#x}, where no zip64 end record is", offset)};
  }
  const std::uint64_t size = get(*zip64, zip64_end::kRecordSize);
  const std::uint64_t least_end = offset + zip64_end::kSize;  // in the file: the record is there
  if (least_end > locator_offset || size != locator_offset - offset - zip64_end::kUncounted) {
    return Defect{offset, fmt::format("the zip64 end record is said to be {} bytes after its first "
                                      "12, its locator is at {:#x}",
                                      size, locator_offset)};
  }
  const std::uint32_t disk = get(*locator, zip64_locator::kDisk);
  const std::uint32_t disks = get(*locator, zip64_locator::kDiskCount);
  if (disk != 0 || disks > 1) {
    return Defect{locator_offset,
                  fmt::format("part of a split archive: disk {} of {}", disk, disks),
                  Error::Kind::Unsupported};
  }
  const Fields wide = fields_of_zip64(*zip64);
  if (auto defect = disagreement(fields, wide, record.offset)) return defect;
  record.zip64_offset = offset;
  fields = wide;
  return std::nullopt;
}

std::optional<Defect> check_disks(const EndRecord& record, const Fields& fields) {
  if (fields.disk == 0 && fields.directory_disk == 0 && fields.count_on_disk == fields.count) {
    return std::nullopt;
  }
  return Defect{record.offset,
                fmt::format("part of a split archive: disk {}, {} of {} entries", fields.disk,
                            fields.count_on_disk, fields.count),
                Error::Kind::Unsupported};
}

std::optional<Defect> check_place(const ByteSource& source, const EndRecord& record) {
  const auto end = checked_add(record.directory_offset, record.directory_size);
  if (!end || *end > record.first_offset()) {
    return Defect{
        record.offset,
        fmt::format("the central directory is said to be {} bytes at {:#x}, past the end "
                    "record at {:#x}",
                    record.directory_size, record.directory_offset, record.first_offset())};
  }
  if (record.directory_size == 0 ? *end == record.first_offset()
                                 : record_at<central_header::kSize>(source, record.directory_offset,
                                                                    central_header::kSignature)
                                       .has_value()) {
    return std::nullopt;
  }
  return Defect{record.offset, fmt::format("no central directory at {:#x}, where the end record "
                                           "says that it is",
                                           record.directory_offset)};
}

Candidate examine(const ByteSource& source, Bytes bytes, std::uint64_t offset) {
  Candidate found;
  EndRecord& record = found.record;
  found.comment_size = get(bytes, end_record::kCommentSize);
  record.offset = offset;
  record.end = std::min(offset + end_record::kSize + found.comment_size, source.size());
  Fields fields = fields_of_end(bytes);
  found.defect = follow_locator(source, record, fields);
  if (!found.defect) found.defect = check_disks(record, fields);
  record.count = fields.count;
  record.directory_size = fields.directory_size;
  record.directory_offset = fields.directory_offset;
  if (!found.defect) found.defect = check_place(source, record);
  return found;
}

// Every signature in the tail with room for a record behind it, in the order of the file.
std::vector<Candidate> find_candidates(const ByteSource& source) {
  constexpr std::string_view kSignature("PK\5\6", 4);
  const std::uint64_t size = std::min(source.size(), kTailSize);
  const std::uint64_t offset = source.size() - size;
  const std::vector<std::byte> tail = source.read(offset, size);
  const std::string_view text = as_text(tail);
  std::vector<Candidate> candidates;
  for (std::size_t i = text.find(kSignature); i != text.npos; i = text.find(kSignature, i + 1)) {
    if (tail.size() - i < end_record::kSize) break;
    candidates.push_back(examine(source, Bytes(tail).subspan(i, end_record::kSize), offset + i));
  }
  return candidates;
}

// The one sound candidate. PyTorch takes the last one, whatever it is, so that one is blamed.
const Candidate& choose(const ByteSource& source, const std::vector<Candidate>& candidates) {
  const auto is_sound = [](const Candidate& candidate) { return !candidate.defect; };
  const auto first = std::ranges::find_if(candidates, is_sound);
  if (first == candidates.end()) {
    const Defect& defect = *candidates.back().defect;
    source.fail_at(defect.offset, defect.kind, defect.message);
  }
  const auto second = std::find_if(first + 1, candidates.end(), is_sound);
  if (second != candidates.end()) {
    source.fail_at(second->record.offset, Error::Kind::Malformed,
                   fmt::format("a second end record with a directory; the first is at {:#x}",
                               first->record.offset));
  }
  return *first;
}

[[noreturn]] void fail_without_end(const ByteSource& source) {
  const std::string hint = local_header_hint(source);
  source.fail(Error::Kind::Malformed,
              (hint.empty() ? "not a zip archive: no end record in the last 64 KiB"
                            : "cut short: no end record in the last 64 KiB; " + hint));
}

void warn_of_rest(const ByteSource& source, const Candidate& chosen, const Candidate& last,
                  std::vector<Warning>& warnings) {
  const EndRecord& record = chosen.record;
  const std::uint64_t comment = record.end - record.offset - end_record::kSize;
  const auto warn = [&](std::uint64_t offset, std::string message) {
    warnings.push_back({
        {.file = source.name(), .offset = offset},
        std::move(message)
    });
  };
  if (comment < chosen.comment_size) {
    warn(record.offset, fmt::format("the archive comment is said to be {} bytes, {} are there",
                                    chosen.comment_size, comment));
  }
  if (record.end < source.size()) {
    warn(record.end, fmt::format("{} bytes after the end record", source.size() - record.end));
  }
  if (&last != &chosen) {
    warn(last.record.offset,
         "looks like an end record and is none; PyTorch takes it for one and fails");
  }
}

}  // namespace

EndRecord find_end_record(const ByteSource& source, std::vector<Warning>& warnings) {
  const std::vector<Candidate> candidates = find_candidates(source);
  if (candidates.empty()) fail_without_end(source);
  const Candidate& chosen = choose(source, candidates);
  warn_of_rest(source, chosen, candidates.back(), warnings);
  return chosen.record;
}

}  // namespace ptsd::container
