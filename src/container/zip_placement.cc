// SPDX-License-Identifier: Apache-2.0
#include "container/zip_placement.h"

#include <limits>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/quote.h"

namespace ptsd::container {
namespace {

// What file systems and the offsets of system calls can hold.
constexpr std::uint64_t kLargestFile = std::numeric_limits<std::int64_t>::max();

[[noreturn]] void fail(const std::string& name, Error::Kind kind, std::string message) {
  throw Error(kind, {.member = name}, std::move(message));
}

void check_name(const std::string& name) {
  if (name.empty()) fail(name, Error::Kind::Conflict, "a member without a name");
  if (name.size() > kMarker16) {
    fail(name, Error::Kind::Limit,
         fmt::format("a name of {} bytes, a zip archive holds {} at most", name.size(), kMarker16));
  }
}

void check_stored(const NewMember& member) {
  if (member.size == member.compressed_size) return;
  fail(member.name, Error::Kind::Conflict,
       fmt::format("a stored member of {} bytes is said to take {}", member.size,
                   member.compressed_size));
}

// PyTorch's layout has a zip64 record for large inflated sizes only.
void check_deflated(const NewMember& member) {
  if (member.size == 0 || member.compressed_size == 0) {
    fail(member.name, Error::Kind::Conflict, "a deflated member that is empty, expected stored");
  }
  if (member.size < kMarker32 && member.compressed_size >= kMarker32) {
    fail(member.name, Error::Kind::Limit,
         fmt::format("{} bytes deflated to {}, which PyTorch's layout cannot say", member.size,
                     member.compressed_size));
  }
}

void check_method(const NewMember& member) {
  if (member.method == method::kStored) return check_stored(member);
  if (member.method == method::kDeflate) return check_deflated(member);
  fail(member.name, Error::Kind::Unsupported,
       fmt::format("method {}, only stored (0) and deflate (8) are written", member.method));
}

void check_folder(const NewMember& member) {
  if (!member.name.ends_with('/') || member.size == 0) return;
  fail(member.name, Error::Kind::Conflict,
       fmt::format("a folder of {} bytes, expected none", member.size));
}

std::uint64_t directory_entry_size(const Member& member) {
  return central_header::kSize + member.name.size() +
         torch_zip64_field_size(member.header_offset, member.size);
}

}  // namespace

Placement::Placement(std::uint64_t alignment) : alignment_(alignment) {
  if (alignment >= 1 && alignment <= kLargestAlignment) return;
  fail({}, Error::Kind::Limit,
       fmt::format("an alignment of {} bytes, expected 1 to {}", alignment, kLargestAlignment));
}

Member& Placement::add(const NewMember& member) {
  check_name(member.name);
  check_method(member);
  check_folder(member);
  Member placed = {.header_offset = end_,
                   .compressed_size = member.compressed_size,
                   .size = member.size,
                   .method = member.method,
                   .flags = torch_flags(member.size)};
  placed.name = keep_name(member.name);
  place(placed);
  return members_.emplace_back(placed);
}

std::string_view Placement::keep_name(const std::string& name) {
  const auto [kept, added] = names_.insert(name);
  if (!added) {
    fail(name, Error::Kind::Conflict,
         fmt::format("{} is in the archive already, and PyTorch ignores case", quote(*kept)));
  }
  return *kept;
}

void Placement::place(Member& member) {
  const std::uint64_t offset = data_offset(member);
  const auto data_end = checked_add(offset, member.compressed_size);
  const std::uint64_t descriptor = torch_descriptor_size(member.header_offset, member.size);
  if (!data_end || *data_end > kLargestFile - descriptor) {
    fail(std::string(member.name), Error::Kind::Limit,
         fmt::format("{} bytes at {:#x} are more than a file can hold", member.compressed_size,
                     offset));
  }
  end_ = *data_end + descriptor;
  directory_size_ += directory_entry_size(member);
  if (directory_size_ > kLargestDirectory) {
    fail(std::string(member.name), Error::Kind::Limit,
         fmt::format("the central directory is longer than the {} bytes that PyTorch reads",
                     kLargestDirectory));
  }
}

std::uint64_t Placement::data_offset(const Member& member) const {
  return torch_data_offset(member.header_offset, member.name.size(), member.size, alignment_);
}

std::uint64_t Placement::padding_size(const Member& member) const {
  return torch_padding_size(member.header_offset, member.name.size(), member.size, alignment_);
}

std::uint64_t Placement::file_size() const {
  if (members_.empty()) fail({}, Error::Kind::Conflict, "an archive without a member");
  const std::uint64_t end =
      directory_size_ + zip64_end::kSize + zip64_locator::kSize + end_record::kSize;
  if (end_ > kLargestFile - end) {
    fail({}, Error::Kind::Limit, "the archive is longer than a file can be");
  }
  return end_ + end;
}

ArchivePlan plan(std::span<const NewMember> members, std::uint64_t alignment) {
  Placement placement(alignment);
  ArchivePlan plan;
  plan.data_offsets.reserve(members.size());
  for (const NewMember& member : members) {
    plan.data_offsets.push_back(placement.data_offset(placement.add(member)));
  }
  plan.directory_offset = placement.directory_offset();
  plan.size = placement.file_size();
  return plan;
}

}  // namespace ptsd::container
