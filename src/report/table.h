// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "report/output.h"
#include "report/width.h"

namespace ptsd::report {

// One column of a table: how row `row` reads there, appended to `out`, already escaped. It is
// asked twice for each row, for the width and for the text, so that no table is ever held. `role`
// is what the text of a row is painted as; without one, as it comes.
struct Column {
  Align align;
  std::function<void(std::size_t row, std::string& out)> text;
  std::function<Role(std::size_t row)> role = {};
};

// Writes the rows with aligned columns. On a terminal the first column is cut to make a row fit;
// elsewhere nothing is. `indent` goes before each row.
void write_table(Output& output, std::size_t rows, const std::vector<Column>& columns,
                 std::string_view indent = "");

}  // namespace ptsd::report
