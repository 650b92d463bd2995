// SPDX-License-Identifier: Apache-2.0
#include "report/style.h"

#include <cstdlib>

#include <doctest/doctest.h>

namespace ptsd::report {
namespace {

bool has_colors(Color color, bool is_terminal) {
  return Style(color, is_terminal).paint(Role::Added, "x") == "\x1b[32mx\x1b[0m";
}

TEST_CASE("colour is for terminals that can, unless NO_COLOR or --color says otherwise") {
  setenv("TERM", "xterm", 1);
  unsetenv("NO_COLOR");
  CHECK(has_colors(Color::Auto, true));
  CHECK_FALSE(has_colors(Color::Auto, false));
  setenv("NO_COLOR", "", 1);
  CHECK(has_colors(Color::Auto, true));
  setenv("NO_COLOR", "1", 1);
  CHECK_FALSE(has_colors(Color::Auto, true));
  CHECK(has_colors(Color::Always, false));
  unsetenv("NO_COLOR");
  CHECK_FALSE(has_colors(Color::Never, true));
  setenv("TERM", "dumb", 1);
  CHECK_FALSE(has_colors(Color::Auto, true));
  CHECK(has_colors(Color::Always, true));
  unsetenv("TERM");
  CHECK_FALSE(has_colors(Color::Auto, true));
}

TEST_CASE("what is plain or empty stays as it is") {
  const Style style(Color::Always, false);
  CHECK(style.paint(Role::Plain, "x") == "x");
  CHECK(style.paint(Role::Error, "").empty());
  CHECK(Style().paint(Role::Error, "x") == "x");
}

}  // namespace
}  // namespace ptsd::report
