// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/quote.h"
#include "report/edit.h"
#include "report/numbers.h"

namespace ptsd::report {

void write_edit_plan(Output& output, const EditReport& report) {
  for (const Change& change : report.changes) {
    const std::string from = escape(change.from);
    output.write(change.to ? fmt::format("{} => {}\n", from, escape(*change.to))
                           : output.style().paint(Role::Removed, "- " + from) + "\n");
  }
}

std::string edit_summary(const EditReport& report) {
  const std::string target = report.output ? escape(*report.output) + ": " : "";
  if (report.left_alone) {
    return fmt::format("ptsd: {}{}: nothing to change, left as it is\n", target, report.what);
  }
  return fmt::format("ptsd: {}{}, {} bytes {}\n", target, report.what, grouped(report.bytes),
                     report.written ? "written" : "to write");
}

}  // namespace ptsd::report
