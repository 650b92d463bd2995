// SPDX-License-Identifier: Apache-2.0
#include "container/zip_hint.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "container/zip_format.h"

namespace ptsd::container {
namespace {

constexpr std::uint64_t kSearched = std::uint64_t{1} << 20;
constexpr std::size_t kNamed = 3;

// The name in the local header at the start of `rest`, or nothing if it is not all there.
std::string_view name_of_header(Bytes rest) {
  if (rest.size() < local_header::kSize) return {};
  const auto name = checked_subview(rest, local_header::kSize, get(rest, local_header::kNameSize));
  return name ? as_text(*name) : std::string_view();
}

}  // namespace

std::string local_header_hint(const ByteSource& source) {
  constexpr std::string_view kSignature("PK\3\4", 4);
  const std::vector<std::byte> head = source.read(0, std::min(source.size(), kSearched));
  const std::string_view text = as_text(head);
  if (!text.starts_with(kSignature)) return {};
  std::string named;
  std::size_t count = 0;
  for (std::size_t i = 0; i != text.npos; i = text.find(kSignature, i + 1)) {
    const std::string_view name = name_of_header(Bytes(head).subspan(i));
    if (name.empty()) continue;
    if (count++ < kNamed) named += fmt::format("{} at {:#x}, ", quote(name), i);
  }
  if (count == 0) return "it begins like a zip archive";
  return fmt::format("local headers found in the first MiB: {}{} in all", named, count);
}

std::string central_header_hint(Bytes bytes) {
  std::string named;
  std::size_t count = 0;
  while (bytes.size() >= central_header::kSize &&
         get(bytes, kSignatureField) == central_header::kSignature) {
    const std::size_t name_size = get(bytes, central_header::kNameSize);
    const std::size_t size = central_header::kSize + name_size +
                             get(bytes, central_header::kExtraSize) +
                             get(bytes, central_header::kCommentSize);
    if (size > bytes.size()) break;
    if (count++ < kNamed) {
      named += quote(as_text(bytes.subspan(central_header::kSize, name_size))) + ", ";
    }
    bytes = bytes.subspan(size);
  }
  return count == 0 ? std::string() : fmt::format("{}{} in all", named, count);
}

}  // namespace ptsd::container
