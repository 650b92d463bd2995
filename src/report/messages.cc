// SPDX-License-Identifier: Apache-2.0
#include "report/messages.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/quote.h"

namespace ptsd::report {
namespace {

constexpr std::size_t kMostWarnings = 10;

}  // namespace

std::string printable(std::string_view message) {
  std::string text;
  while (true) {
    const std::size_t backslash = message.find('\\');
    append_escaped(text, message.substr(0, backslash));
    if (backslash == std::string_view::npos) return text;
    text += '\\';
    message.remove_prefix(backslash + 1);
  }
}

std::string warning_lines(const std::vector<Warning>& warnings, bool all, const Style& style) {
  const std::string head = style.paint(Role::Warning, "ptsd: warning:");
  std::string text;
  const std::size_t shown = all ? warnings.size() : std::min(warnings.size(), kMostWarnings);
  for (std::size_t i = 0; i < shown; ++i) {
    text += fmt::format("{} {}: {}\n", head, to_string(warnings[i].where),
                        printable(warnings[i].message));
  }
  if (shown < warnings.size()) {
    text += fmt::format("{} … and {} more (-v shows all)\n", head, warnings.size() - shown);
  }
  return text;
}

std::string error_line(std::string_view message, const Style& style) {
  return fmt::format("{} {}\n", style.paint(Role::Error, "ptsd:"), printable(message));
}

}  // namespace ptsd::report
