// SPDX-License-Identifier: Apache-2.0
#include "container/zip_reader.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/crc32.h"
#include "base/quote.h"
#include "container/inflate.h"
#include "container/inflating_source.h"
#include "container/zip_descriptor.h"
#include "container/zip_format.h"
#include "container/zip_local.h"

namespace ptsd::container {
namespace {

struct MethodRow {
  std::uint16_t method;
  std::string_view name;
};

constexpr auto kForeignMethods = std::to_array<MethodRow>({
    {9,  "deflate64"     },
    {12, "bzip2"         },
    {14, "LZMA"          },
    {93, "Zstandard"     },
    {95, "XZ"            },
    {98, "PPMd"          },
    {99, "AES encryption"},
});

std::string_view method_name(std::uint16_t method) {
  const auto row = std::ranges::find(kForeignMethods, method, &MethodRow::method);
  return row == kForeignMethods.end() ? "an unknown method" : row->name;
}

}  // namespace

ZipReader::ZipReader(const ByteSource& source, const Limits& limits)
    : source_(source),
      end_(find_end_record(source, warnings_)),
      directory_(read_directory(source, end_, limits, warnings_)),
      layout_(source, directory_.members, directory_.offset),
      index_(directory_.members) {
  refuse_clash();
  check_start();
}

void ZipReader::refuse_clash() const {
  const auto& clash = index_.clash();
  if (!clash) return;
  const bool same = clash->first->name == clash->second->name;
  source_.fail_at(entry_offset(*clash->second), Error::Kind::Malformed,
                  same ? fmt::format("two members are called {}", quote(clash->first->name))
                       : fmt::format("two names are equal without case: {} and {}",
                                     quote(clash->first->name), quote(clash->second->name)));
}

// PyTorch looks for an archive only where the file begins.
void ZipReader::check_start() {
  const std::uint64_t first = layout_.size() == 0 ? directory_.offset : layout_.at(0).header_offset;
  if (first == 0) return;
  std::array<std::byte, sizeof(std::uint32_t)> head = {};
  source_.read(0, head);
  if (get(Bytes(head), kSignatureField) != local_header::kSignature) {
    source_.fail_at(
        0, Error::Kind::Malformed,
        fmt::format("{} bytes before the first local header: PyTorch looks for it where "
                    "the file begins",
                    first));
  }
  warnings_.push_back({
      {.file = source_.name(), .offset = 0},
      fmt::format("{} bytes before the first member belong to none", first)
  });
}

bool ZipReader::has_checksums() const {
  return std::ranges::any_of(members(), [](const Member& member) { return member.crc != 0; });
}

std::uint64_t ZipReader::data_offset(const Member& member, const ByteSource& through) const {
  return checked_data_offset(through, member, layout_.limit(member));
}

std::optional<std::uint64_t> ZipReader::predicted_data_offset(const Member& member,
                                                              std::uint64_t alignment) const {
  if (alignment == 0 || member.flags != torch_flags(member.size)) return std::nullopt;
  const std::uint64_t padding =
      torch_padding_size(member.header_offset, member.name.size(), member.size, alignment);
  if (padding > extra::kLargestSize) return std::nullopt;
  const std::uint64_t offset =
      torch_data_offset(member.header_offset, member.name.size(), member.size, alignment);
  const std::uint64_t end =
      offset + member.compressed_size + torch_descriptor_size(member.header_offset, member.size);
  if (end != layout_.limit(member)) return std::nullopt;
  return offset;
}

void ZipReader::fail(const Member& member, Error::Kind kind, std::string message) const {
  throw Error(kind, {.file = source_.name(), .member = std::string(member.name)},
              std::move(message));
}

void ZipReader::check_method(const Member& member) const {
  if (member.method != method::kStored && member.method != method::kDeflate) {
    fail(member, Error::Kind::Unsupported,
         fmt::format("compressed by {} (method {}); only stored (0) and deflate (8) can be read",
                     method_name(member.method), member.method));
  }
}

void ZipReader::check_readable(const Member& member, std::uint64_t limit) const {
  check_method(member);
  if (member.size > limit) {
    fail(member, Error::Kind::Limit,
         fmt::format("{} bytes inflated, {} are allowed", member.size, limit));
  }
  // A deflate stream can also be made longer than what it holds.
  if (member.compressed_size > limit) {
    fail(member, Error::Kind::Limit,
         fmt::format("{} bytes deflated, {} are allowed", member.compressed_size, limit));
  }
}

std::vector<std::byte> ZipReader::read_data(const Member& member, std::uint64_t offset) const {
  std::vector<std::byte> data = source_.read(offset, member.compressed_size);
  if (member.method == method::kStored) return data;
  return inflate(data, member.size, {.file = source_.name(), .member = std::string(member.name)});
}

void ZipReader::check_crc(const Member& member, std::uint32_t crc) const {
  if (member.crc == 0 || crc == member.crc) return;
  fail(member, Error::Kind::Malformed,
       fmt::format("the CRC is {:#010x}, {:#010x} recorded", crc, member.crc));
}

Contents ZipReader::read(const Member& member, std::uint64_t limit) const {
  check_readable(member, limit);
  const std::uint64_t offset = data_offset(member);
  Contents contents = {.bytes = read_data(member, offset)};
  check_crc(member, crc32(contents.bytes));
  const std::uint64_t end = offset + member.compressed_size;
  const Descriptor found = read_descriptor(source_, member, end, layout_.limit(member));
  contents.warning = descriptor_warning(source_, member, end, found.state);
  return contents;
}

std::unique_ptr<ByteSource> ZipReader::open(const Member& member, std::uint64_t limit) const {
  UncheckedSource opened = open_unchecked(member, limit);
  if (opened.check) opened.check(crc32(*opened.source, 0, member.size));
  return std::move(opened.source);
}

UncheckedSource ZipReader::open_unchecked(const Member& member, std::uint64_t limit) const {
  if (member.method != method::kStored) {
    return {std::make_unique<MemorySource>(source_.name(), read(member, limit).bytes)};
  }
  UncheckedSource opened = {
      std::make_unique<RangeSource>(source_, data_offset(member), member.size)};
  if (member.crc != 0) {
    opened.check = [this, &member](std::uint32_t crc) { check_crc(member, crc); };
  }
  return opened;
}

std::unique_ptr<ByteSource> ZipReader::peek(const Member& member) const {
  check_method(member);
  const std::uint64_t offset = data_offset(member);
  if (member.method == method::kStored) {
    return std::make_unique<RangeSource>(source_, offset, member.size);
  }
  return std::make_unique<InflatingSource>(source_, member.name, offset, member.compressed_size,
                                           member.size);
}

Account ZipReader::account() const {
  return container::account(source_, directory_, layout_, end_);
}

}  // namespace ptsd::container
