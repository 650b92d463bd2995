// SPDX-License-Identifier: Apache-2.0
#include "container/serialization_id.h"

#include <charconv>

#include <fmt/format.h>

namespace ptsd::container {
namespace {

constexpr std::size_t kDigits = 20;

std::optional<std::uint64_t> parse(std::string_view digits) {
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [parsed, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc() || parsed != end) return std::nullopt;
  return value;
}

}  // namespace

std::string to_string(const SerializationId& id) {
  return fmt::format("{:020}{:020}", id.names, id.contents);
}

std::optional<SerializationId> parse_serialization_id(std::string_view text) {
  if (text.size() != 2 * kDigits) return std::nullopt;
  const auto names = parse(text.substr(0, kDigits));
  const auto contents = parse(text.substr(kDigits));
  if (!names || !contents) return std::nullopt;
  return SerializationId{.names = *names, .contents = *contents};
}

}  // namespace ptsd::container
