// SPDX-License-Identifier: Apache-2.0
#include "report/style.h"

#include <cstdlib>

#include <fmt/format.h>

namespace ptsd::report {
namespace {

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool terminal_has_colors() {
  const std::string_view terminal = variable("TERM");
  return !terminal.empty() && terminal != "dumb";
}

// Parameters of SGR (ECMA-48): the colours that git has for the same things.
std::string_view code_of(Role role) {
  switch (role) {
    case Role::Plain: return "";
    case Role::Heading: return "1";
    case Role::Added: return "32";
    case Role::Removed: return "31";
    case Role::Changed: return "33";
    case Role::Error: return "1;31";
    case Role::Warning: return "33";
    case Role::Aside: return "2";
  }
  return "";
}

}  // namespace

Style::Style(Color color, bool is_terminal)
    : colors_(color == Color::Always || (color == Color::Auto && is_terminal &&
                                         variable("NO_COLOR").empty() && terminal_has_colors())) {}

std::string Style::paint(Role role, std::string_view text) const {
  if (!colors_ || role == Role::Plain || text.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", code_of(role), text);
}

}  // namespace ptsd::report
