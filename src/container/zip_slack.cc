// SPDX-License-Identifier: Apache-2.0
#include "container/zip_slack.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/byte_reader.h"
#include "base/quote.h"
#include "base/read_ahead.h"
#include "container/zip_descriptor.h"
#include "container/zip_extra.h"
#include "container/zip_format.h"
#include "container/zip_local.h"

namespace ptsd::container {
namespace {

class Accountant {
 public:
  explicit Accountant(const ByteSource& source) : source_(source) {}

  void add_member(const Member& member, std::uint64_t limit);
  // Nobody accounts for [offset, end), which may be empty.
  void add_slack(std::uint64_t offset, std::uint64_t end);
  Account take() { return std::move(account_); }

 private:
  void add_padding(const Member& member, std::uint64_t data_offset);
  std::string ghost_at(std::uint64_t offset, std::uint64_t size) const;

  const ByteSource& source_;
  Account account_;
};

void Accountant::add_member(const Member& member, std::uint64_t limit) {
  const std::uint64_t data_offset = checked_data_offset(source_, member, limit);
  add_padding(member, data_offset);
  const std::uint64_t data_end = data_offset + member.compressed_size;
  const Descriptor found = read_descriptor(source_, member, data_end, limit);
  if (auto warning = descriptor_warning(source_, member, data_end, found.state)) {
    account_.warnings.push_back(*std::move(warning));
  }
  add_slack(data_end + found.size, limit);
}

// Padding may hold anything; what PyTorch puts there is 'Z'.
void Accountant::add_padding(const Member& member, std::uint64_t data_offset) {
  const Where origin = {.file = source_.name(), .offset = least_data_offset(member)};
  const auto bytes = source_.read(*origin.offset, data_offset - *origin.offset);
  ByteReader reader(bytes, origin);
  ExtraFields fields(reader, bytes.size());
  while (const auto field = fields.next()) {
    const auto is_padding = [](std::byte b) { return b == extra::kPaddingByte; };
    if (field->id != extra::kPadding || std::ranges::all_of(field->data, is_padding)) continue;
    const std::uint64_t offset = *origin.offset + field->position + extra::kHeaderSize;
    add_slack(offset, offset + field->data.size());
  }
}

void Accountant::add_slack(std::uint64_t offset, std::uint64_t end) {
  if (offset == end) return;
  account_.slack.push_back(
      {.offset = offset, .size = end - offset, .ghost = ghost_at(offset, end - offset)});
}

std::string Accountant::ghost_at(std::uint64_t offset, std::uint64_t size) const {
  if (size < local_header::kSize) return {};
  const auto header = source_.read(offset, local_header::kSize);
  if (get(Bytes(header), kSignatureField) != local_header::kSignature) return {};
  const std::uint64_t name_size = get(Bytes(header), local_header::kNameSize);
  const auto name = source_.read(offset + local_header::kSize,
                                 std::min<std::uint64_t>(name_size, size - local_header::kSize));
  return std::string(as_text(name));
}

}  // namespace

Account account(const ByteSource& source, const Directory& directory, const Layout& layout,
                const EndRecord& end) {
  const ReadAhead ahead(source);
  Accountant accountant(ahead);
  accountant.add_slack(0, layout.size() == 0 ? directory.offset : layout.at(0).header_offset);
  for (std::size_t i = 0; i < layout.size(); ++i) {
    accountant.add_member(layout.at(i), layout.limit_at(i));
  }
  accountant.add_slack(end.directory_offset + end.directory_size, end.first_offset());
  if (end.zip64_offset) {
    accountant.add_slack(*end.zip64_offset + zip64_end::kSize, end.offset - zip64_locator::kSize);
  }
  accountant.add_slack(end.end, source.size());
  return accountant.take();
}

}  // namespace ptsd::container
