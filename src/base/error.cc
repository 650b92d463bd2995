// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/quote.h"

namespace ptsd {
namespace {

std::string line(const Where& where, const std::string& message) {
  const std::string place = to_string(where);
  return place.empty() ? message : place + ": " + message;
}

}  // namespace

std::string to_string(const Where& where) {
  std::string text = escape(abbreviate(where.file));
  std::string inner = escape(abbreviate(where.member));
  if (where.offset) inner += fmt::format("+{:#x}", *where.offset);
  if (text.empty() || inner.empty()) return text + inner;
  return text + ": " + inner;
}

Error::Error(Kind kind, Where where, std::string message)
    : kind_(kind),
      where_(std::move(where)),
      message_(std::move(message)),
      text_(line(where_, message_)) {}

std::string_view to_string(Error::Kind kind) {
  static constexpr auto kNames = std::to_array<std::string_view>(
      {"usage", "io", "malformed", "unsupported", "limit", "conflict"});
  return kNames.at(static_cast<std::size_t>(kind));
}

void fail_usage(std::string message, std::string file) {
  throw Error(Error::Kind::Usage, {.file = std::move(file)}, std::move(message));
}

}  // namespace ptsd
