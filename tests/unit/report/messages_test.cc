// SPDX-License-Identifier: Apache-2.0
#include "report/messages.h"

#include <doctest/doctest.h>

namespace ptsd::report {
namespace {

TEST_CASE("a message holds nothing that moves the cursor, and no name is escaped twice") {
  CHECK(printable("a\x1b[2Kb\nc\xe2\x80\xae") == "a\\x1b[2Kb\\x0ac\\u{202e}");
  CHECK(printable("'\\x1b' is \\\\") == "'\\x1b' is \\\\");
  CHECK(printable("").empty());
  CHECK(warning_lines(
            {
                {{.file = "f"}, "\x1b"}
  },
            false, Style()) == "ptsd: warning: f: \\x1b\n");
}

}  // namespace
}  // namespace ptsd::report
