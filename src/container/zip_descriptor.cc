// SPDX-License-Identifier: Apache-2.0
#include "container/zip_descriptor.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/quote.h"
#include "container/zip_format.h"

namespace ptsd::container {
namespace {

struct Form {
  bool has_signature;
  bool is_wide;

  std::size_t crc_offset() const { return has_signature ? 4 : 0; }
  std::size_t size() const { return crc_offset() + (is_wide ? 20u : 12u); }
};

// PyTorch's forms first.
constexpr auto kForms = std::to_array<Form>({
    {true,  false},
    {true,  true },
    {false, false},
    {false, true },
});

bool says(Bytes bytes, const Form& form, const Member& member) {
  if (bytes.size() < form.size()) return false;
  const std::size_t crc = form.crc_offset();
  if (get(bytes, Field<std::uint32_t>{crc}) != member.crc) return false;
  if (form.is_wide) {
    return get(bytes, Field<std::uint64_t>{crc + 4}) == member.compressed_size &&
           get(bytes, Field<std::uint64_t>{crc + 12}) == member.size;
  }
  return get(bytes, Field<std::uint32_t>{crc + 4}) == member.compressed_size &&
         get(bytes, Field<std::uint32_t>{crc + 8}) == member.size;
}

bool has_signature(Bytes bytes) {
  return bytes.size() >= descriptor::kSize && get(bytes, kSignatureField) == descriptor::kSignature;
}

}  // namespace

Descriptor read_descriptor(const ByteSource& source, const Member& member, std::uint64_t offset,
                           std::uint64_t limit) {
  if ((member.flags & flag::kDescriptor) == 0) return {};
  const std::uint64_t size = std::min<std::uint64_t>(limit - offset, descriptor::kZip64Size);
  const std::vector<std::byte> bytes = source.read(offset, size);
  for (const Form& form : kForms) {
    if (!has_signature(bytes) && form.has_signature) continue;
    if (says(bytes, form, member)) return {Descriptor::State::Sound, form.size()};
  }
  if (!has_signature(bytes)) return {Descriptor::State::Missing, 0};
  const std::uint64_t expected = std::max<std::uint64_t>(
      torch_descriptor_size(member.header_offset, member.size), descriptor::kSize);
  return {Descriptor::State::Contradicting, std::min(expected, size)};
}

std::optional<Warning> descriptor_warning(const ByteSource& source, const Member& member,
                                          std::uint64_t offset, Descriptor::State state) {
  const auto warning = [&](std::string_view what) {
    return Warning{
        {.file = source.name(), .offset = offset},
        fmt::format("the data descriptor of {} {}", quote(member.name), what)
    };
  };
  switch (state) {
    case Descriptor::State::None:
    case Descriptor::State::Sound: break;
    case Descriptor::State::Missing: return warning("is missing");
    case Descriptor::State::Contradicting: return warning("contradicts the central directory");
  }
  return std::nullopt;
}

}  // namespace ptsd::container
