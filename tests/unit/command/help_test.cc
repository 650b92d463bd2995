// SPDX-License-Identifier: Apache-2.0
#include "command/help.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace ptsd::command {
namespace {

Action declare_nothing(Flags&) {
  return [] { return Exit::Yes; };
}

constexpr Command kCut = {"cut", "cut a file in two", "# in half\nptsd cut a.pt\n",
                          declare_nothing};

TEST_CASE("help shows usage, arguments, options by group, and examples") {
  Flags flags;
  std::string file;
  std::vector<std::string> names;
  bool flag = false;
  std::optional<std::string> text;
  flags.file("FILE", file, "the file");
  flags.files("NAME", names, "what to keep");
  flags.flag("-l,--long", flag, "more");
  flags.optional_text("--in-place", text, "SUFFIX", "edit the file itself");
  flags.group("Selection");
  flags.texts("--include", names, "GLOB",
              "a text that is too long for one line and is therefore filled into two");
  flags.text("--a-name-that-is-long", text, "VALUE", "starts below");
  CHECK(help(kCut, flags) == R"(ptsd cut - cut a file in two

Usage: ptsd cut [OPTIONS] FILE NAME…

Arguments:
  FILE                    the file
  NAME                    what to keep

Options:
  -l, --long              more
      --in-place[=SUFFIX] edit the file itself

Selection:
      --include GLOB      a text that is too long for one line and is therefore
                          filled into two
      --a-name-that-is-long VALUE
                          starts below

Examples:
  # in half
  ptsd cut a.pt
)");
}

TEST_CASE("the overview lists the commands in the order of the table") {
  const Command* table[] = {&kCut};
  CHECK(overview(table).find("\nCommands:\n  cut       cut a file in two\n") != std::string::npos);
}

}  // namespace
}  // namespace ptsd::command
