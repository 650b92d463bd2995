// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "report/numbers.h"
#include "report/stat.h"
#include "report/table.h"
#include "report/tensor_text.h"

namespace ptsd::report {

using operation::TensorStat;
using tensor::Summary;

namespace {

// Bars as high as the counts, the largest being full.
std::string bars(const std::vector<std::uint64_t>& counts) {
  constexpr auto kBars = std::to_array<std::string_view>({"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"});
  const std::uint64_t most = counts.empty() ? 0 : std::ranges::max(counts);
  std::string text;
  for (const std::uint64_t count : counts) {
    const double share = static_cast<double>(count) / static_cast<double>(most);
    text += kBars[static_cast<std::size_t>(share * static_cast<double>(kBars.size() - 1) + 0.5)];
  }
  return text;
}

std::string findings(const Summary& summary) {
  std::string text;
  if (summary.nan > 0) text += fmt::format("{} nan", grouped(summary.nan));
  if (summary.inf > 0) {
    text += fmt::format("{}{} inf", text.empty() ? "" : " · ", grouped(summary.inf));
  }
  return text;
}

struct NumberColumn {
  std::string_view title;
  std::uint64_t least;  // finite elements that it takes
  double (*value)(const Summary&);
};

constexpr auto kNumbers = std::to_array<NumberColumn>({
    {"min",  1, [](const Summary& summary) { return static_cast<double>(summary.min); }},
    {"max",  1, [](const Summary& summary) { return static_cast<double>(summary.max); }},
    {"mean", 1, [](const Summary& summary) { return summary.mean(); }                  },
    {"std",  2, [](const Summary& summary) { return summary.standard_deviation(); }    },
});

// Row 0 has the titles.
class Rows {
 public:
  explicit Rows(const StatReport& report) : report_(report) {}

  std::vector<Column> columns() const {
    std::vector<Column> columns = {
        {Align::Left, [this](std::size_t row, std::string& out) {
           if (row > 0) append_name(out, report_.entries[row - 1].path);
         }}
    };
    for (const NumberColumn& number : kNumbers) {
      columns.push_back(column(Align::Right, number.title,
                               [value = number.value, least = number.least](const auto& stat) {
                                 return stat.summary && stat.summary->finite >= least
                                            ? fmt::format("{:.3g}", value(*stat.summary))
                                            : "-";
                               }));
    }
    columns.push_back(column(Align::Right, "zeros", [](const TensorStat& stat) {
      return stat.summary ? grouped(stat.summary->zeros) : "-";
    }));
    columns.push_back(
        column(Align::Left, "", [](const TensorStat& stat) { return bars(stat.histogram); }));
    columns.push_back(column(Align::Left, "", [](const TensorStat& stat) {
      return stat.summary ? findings(*stat.summary) : "";
    }));
    columns.back().role = [](std::size_t) { return Role::Error; };
    return columns;
  }

 private:
  template <class Text>
  Column column(Align align, std::string_view title, Text text) const {
    return {align,
            [this, title, text](std::size_t row, std::string& out) {
              if (row == 0) {
                out += title;
              } else {
                out += text(report_.stats[row - 1]);
              }
            },
            [](std::size_t row) { return row == 0 ? Role::Heading : Role::Plain; }};
  }

  const StatReport& report_;
};

}  // namespace

StatTotals total(const StatReport& report) {
  StatTotals totals;
  for (const TensorStat& stat : report.stats) {
    totals.elements += stat.count;
    if (!stat.summary) continue;
    totals.zeros += stat.summary->zeros;
    totals.nan += stat.summary->nan;
    totals.inf += stat.summary->inf;
    totals.tensors_with_nan += stat.summary->nan > 0;
    totals.tensors_with_inf += stat.summary->inf > 0;
  }
  return totals;
}

void write_stat_text(Output& output, const StatReport& report) {
  if (!report.entries.empty()) {
    write_table(output, report.entries.size() + 1, Rows(report).columns());
  }
  const StatTotals totals = total(report);
  const Style& style = output.style();
  std::string line =
      style.paint(Role::Aside, fmt::format("{} · {}", counted(report.entries.size(), "tensor"),
                                           counted(totals.elements, "element")));
  const auto add = [&](std::string_view what, std::uint64_t count, std::uint64_t tensors) {
    if (count == 0) return;
    line += style.paint(Role::Aside, " · ");
    line += style.paint(
        Role::Error, fmt::format("{} {} in {}", grouped(count), what, counted(tensors, "tensor")));
  };
  add("nan", totals.nan, totals.tensors_with_nan);
  add("inf", totals.inf, totals.tensors_with_inf);
  output.write(line + "\n");
}

}  // namespace ptsd::report
