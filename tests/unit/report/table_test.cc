// SPDX-License-Identifier: Apache-2.0
#include "report/table.h"

#include <array>
#include <string>
#include <unistd.h>

#include <doctest/doctest.h>

namespace ptsd::report {
namespace {

constexpr auto kNames = std::to_array<std::string_view>({"longer", "é", ""});
constexpr auto kNumbers = std::to_array<std::string_view>({"7", "1,234", "56"});

std::string table(Color color) {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  Output output(color, ends[1]);
  write_table(output, kNames.size(),
              {
                  {Align::Left,  [](std::size_t row, std::string& out) { out += kNames[row]; },
                   [](std::size_t row) { return row == 0 ? Role::Plain : Role::Added; }},
                  {Align::Right, [](std::size_t row, std::string& out) { out += kNumbers[row]; },
                   [](std::size_t) { return Role::Error; }                             },
  });
  output.finish();
  std::string text(1000, '\0');
  text.resize(static_cast<std::size_t>(read(ends[0], text.data(), text.size())));
  close(ends[0]);
  close(ends[1]);
  return text;
}

TEST_CASE("columns stand in line, with colours and without") {
  CHECK(table(Color::Never) ==
        "longer      7\n"
        "é       1,234\n"
        "           56\n");
  CHECK(table(Color::Always) ==
        "longer      \x1b[1;31m7\x1b[0m\n"
        "\x1b[32mé\x1b[0m       \x1b[1;31m1,234\x1b[0m\n"
        "           \x1b[1;31m56\x1b[0m\n");
}

}  // namespace
}  // namespace ptsd::report
