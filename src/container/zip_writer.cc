// SPDX-License-Identifier: Apache-2.0
#include "container/zip_writer.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/quote.h"
#include "container/zip_records.h"

namespace ptsd::container {
namespace {

// The directory goes out in blocks of about this many bytes.
constexpr std::size_t kBlock = std::size_t{1} << 16;

[[noreturn]] void fail(std::string_view name, std::string message) {
  throw Error(Error::Kind::Conflict, {.member = std::string(name)}, std::move(message));
}

}  // namespace

void ZipWriter::Data::expect(const Member& member) {
  member_ = &member;
  left_ = member.compressed_size;
}

void ZipWriter::Data::take(std::uint64_t size) {
  if (member_ == nullptr) fail({}, "bytes for a member that was not begun");
  if (size > left_) {
    fail(member_->name, fmt::format("{} bytes more than the {} that were announced", size - left_,
                                    member_->compressed_size));
  }
  left_ -= size;
}

void ZipWriter::Data::write(Bytes bytes) {
  take(bytes.size());
  sink_.write(bytes);
}

void ZipWriter::Data::copy(const ByteSource& source, std::uint64_t offset, std::uint64_t size) {
  take(size);
  sink_.copy(source, offset, size);
}

ZipWriter::ZipWriter(ByteSink& sink, std::uint64_t alignment)
    : sink_(sink), placement_(alignment), data_(sink) {}

ByteSink& ZipWriter::begin(const NewMember& member) {
  if (finished_) fail(member.name, "a member behind the end of the archive");
  if (open_ != nullptr) {
    fail(member.name, fmt::format("begun before {} has ended", quote(open_->name)));
  }
  open_ = &placement_.add(member);
  data_.expect(*open_);
  std::vector<std::byte> header;
  append_local_header(header, *open_, placement_.padding_size(*open_));
  sink_.write(header);
  return data_;
}

void ZipWriter::end(std::uint32_t crc) {
  if (open_ == nullptr) fail({}, "the end of a member that was not begun");
  if (data_.left() != 0) {
    fail(open_->name, fmt::format("{} bytes fewer than the {} that were announced", data_.left(),
                                  open_->compressed_size));
  }
  if (open_->size == 0 && crc != 0) {
    fail(open_->name, fmt::format("an empty member with the CRC {:#010x}, expected 0", crc));
  }
  open_->crc = crc;
  std::vector<std::byte> descriptor;
  append_descriptor(descriptor, *open_);
  if (!descriptor.empty()) sink_.write(descriptor);
  open_ = nullptr;
}

void ZipWriter::finish() {
  if (open_ != nullptr) fail(open_->name, "the archive is finished before this member has ended");
  if (finished_) fail({}, "the archive is finished already");
  placement_.file_size();
  write_directory();
  finished_ = true;
}

void ZipWriter::write_directory() {
  std::vector<std::byte> out;
  for (const Member& member : placement_.members()) {
    append_central_header(out, member);
    if (out.size() < kBlock) continue;
    sink_.write(out);
    out.clear();
  }
  append_ends(out, {.count = placement_.members().size(),
                    .directory_offset = placement_.directory_offset(),
                    .directory_size = placement_.directory_size()});
  sink_.write(out);
}

}  // namespace ptsd::container
