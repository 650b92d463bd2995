// SPDX-License-Identifier: Apache-2.0
#include "container/record_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/quote.h"

namespace ptsd::container {
namespace {

// Records that the loaders ask for by name.
constexpr auto kKnownRecords = std::to_array<std::string_view>({
    "data.pkl",
    "constants.pkl",
    "bytecode.pkl",
    "version",
    ".data/version",
    "byteorder",
    ".format_version",
    ".storage_alignment",
});

bool is_plain_ascii(std::string_view name) {
  unsigned char all = 0;
  for (const char c : name) {
    all |= static_cast<unsigned char>(c);
  }
  return all < 0x80;
}

// PyTorch lists names into a buffer of 512 bytes.
constexpr std::size_t kLongestListedName = 511;

// Oddities that any number of names may share: told once, at the first of them.
class Tally {
 public:
  explicit Tally(std::string_view what) : what_(what) {}

  void note(const Member& member) {
    if (count_++ == 0) first_ = &member;
  }

  void warn(const ZipReader& zip, std::vector<Warning>& warnings) const {
    if (count_ == 0) return;
    warnings.push_back({
        {.file = zip.source().name(), .offset = zip.entry_offset(*first_)},
        fmt::format("{} {}; the first is {}", count_, what_, quote(first_->name))
    });
  }

 private:
  std::string_view what_;
  std::uint64_t count_ = 0;
  const Member* first_ = nullptr;
};

// PyTorch compares names by length and never finds one with a NUL; it takes a backslash for a
// letter where other readers take it for a separator.
void check_name(const ZipReader& zip, const Member& member) {
  for (const auto& [character, what] : {std::pair('\0', "NUL"), std::pair('\\', "backslash")}) {
    if (member.name.find(character) == member.name.npos) continue;
    zip.source().fail_at(zip.entry_offset(member), Error::Kind::Malformed,
                         fmt::format("a {} in the name {}", what, quote(member.name)));
  }
}

}  // namespace

RecordReader::RecordReader(const ZipReader& zip) : zip_(zip) {
  find_root();
  check_names();
  check_case();
}

void RecordReader::find_root() {
  if (zip_.members().empty()) {
    zip_.source().fail(Error::Kind::Malformed, "the archive is empty");
  }
  const Member& first = zip_.members().front();
  const std::size_t slash = first.name.find('/');
  if (slash == first.name.npos) {
    zip_.source().fail_at(
        zip_.entry_offset(first), Error::Kind::Malformed,
        fmt::format("the first member, {}, is in no folder: there is no root", quote(first.name)));
  }
  root_ = first.name.substr(0, slash);
}

void RecordReader::check_names() {
  Tally strangers("members outside the root, for which torch.load refuses the file");
  Tally undecodable("names are not UTF-8, which PyTorch cannot list");
  Tally longish("names are longer than 511 bytes, where PyTorch cuts them");
  for (const Member& member : zip_.members()) {
    check_name(zip_, member);
    const bool below =
        member.name.starts_with(root_) && member.name.substr(root_.size()).starts_with('/');
    if (!below) strangers.note(member);
    if (!is_plain_ascii(member.name) && !is_utf8(member.name)) undecodable.note(member);
    if (member.name.size() > kLongestListedName) longish.note(member);
  }
  for (const Tally* tally : {&strangers, &undecodable, &longish}) {
    tally->warn(zip_, warnings_);
  }
}

void RecordReader::check_case() {
  for (const std::string_view name : kKnownRecords) {
    const Member* found = record(name);
    if (found == nullptr || found->name.ends_with(name)) continue;
    warnings_.push_back({
        {.file = zip_.source().name(), .offset = zip_.entry_offset(*found)},
        fmt::format("{} is taken for {}: PyTorch ignores case", quote(found->name), quote(name))
    });
  }
}

const Member* RecordReader::record(std::string_view name) const {
  std::string full;
  full.reserve(root_.size() + 1 + name.size());
  full.append(root_).append("/").append(name);
  return zip_.find_ignoring_case(full);
}

std::optional<std::string_view> RecordReader::record_name(const Member& member) const {
  const std::string_view name = member.name;
  const bool below = name.size() > root_.size() && name[root_.size()] == '/' &&
                     equal_ignoring_case(name.substr(0, root_.size()), root_);
  if (!below || member.is_directory()) return std::nullopt;
  return name.substr(root_.size() + 1);
}

std::vector<Record> RecordReader::records() const {
  std::vector<Record> records;
  records.reserve(zip_.members().size());
  for (const Member& member : zip_.members()) {
    if (const auto name = record_name(member)) records.push_back({*name, &member});
  }
  return records;
}

}  // namespace ptsd::container
