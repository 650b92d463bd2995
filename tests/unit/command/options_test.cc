// SPDX-License-Identifier: Apache-2.0
#include "command/options.h"

#include <cstdlib>

#include <doctest/doctest.h>

namespace ptsd::command {
namespace {

TEST_CASE("colour is for terminals, unless NO_COLOR or --color says otherwise") {
  CommonOptions options;
  unsetenv("NO_COLOR");
  CHECK(options.use_color(true));
  CHECK_FALSE(options.use_color(false));
  setenv("NO_COLOR", "", 1);
  CHECK(options.use_color(true));
  setenv("NO_COLOR", "1", 1);
  CHECK_FALSE(options.use_color(true));
  options.color = Color::Always;
  CHECK(options.use_color(false));
  options.color = Color::Never;
  unsetenv("NO_COLOR");
  CHECK_FALSE(options.use_color(true));
}

}  // namespace
}  // namespace ptsd::command
