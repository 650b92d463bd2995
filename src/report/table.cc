// SPDX-License-Identifier: Apache-2.0
#include "report/table.h"

#include <algorithm>
#include <numeric>

namespace ptsd::report {
namespace {

constexpr std::string_view kGap = "  ";
constexpr std::size_t kNarrowest = 16;  // of the first column, whatever the terminal

std::vector<std::size_t> widths_of(std::size_t rows, const std::vector<Column>& columns) {
  std::vector<std::size_t> widths(columns.size());
  std::string cell;
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      cell.clear();
      columns[i].text(row, cell);
      widths[i] = std::max(widths[i], display_width(cell));
    }
  }
  return widths;
}

// What the first column may take so that a row fits the terminal.
std::size_t first_column(const std::vector<std::size_t>& widths, std::size_t terminal,
                         std::size_t indent) {
  const std::size_t others = std::accumulate(widths.begin() + 1, widths.end(), std::size_t{0}) +
                             kGap.size() * (widths.size() - 1) + indent;
  const std::size_t left = terminal > others ? terminal - others : 0;
  return std::min(widths[0], std::max(left, kNarrowest));
}

}  // namespace

void write_table(Output& output, std::size_t rows, const std::vector<Column>& columns,
                 std::string_view indent) {
  std::vector<std::size_t> widths = widths_of(rows, columns);
  if (output.columns() > 0) widths[0] = first_column(widths, output.columns(), indent.size());
  std::string line;
  std::string cell;
  for (std::size_t row = 0; row < rows; ++row) {
    line = indent;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      cell.clear();
      columns[i].text(row, cell);
      if (i > 0) line += kGap;
      if (i == 0 && output.columns() > 0) cell = fit(cell, widths[i]);
      const std::size_t width = display_width(cell);
      if (columns[i].role) cell = output.style().paint(columns[i].role(row), cell);
      append_padded(line, cell, width, widths[i], columns[i].align);
    }
    line.resize(line.find_last_not_of(' ') + 1);
    line += '\n';
    output.write(line);
  }
}

}  // namespace ptsd::report
