// SPDX-License-Identifier: Apache-2.0
#include "command/warn.h"

#include <cstdio>
#include <unistd.h>

#include "report/messages.h"

namespace ptsd::command {

std::vector<Warning> warnings_of(const format::Loaded& loaded, const checkpoint::Listing& listing) {
  std::vector<Warning> all = loaded.warnings();
  all.insert(all.end(), listing.warnings().begin(), listing.warnings().end());
  return all;
}

Exit warn(const std::vector<Warning>& warnings, const CommonOptions& options) {
  if (!options.json && !options.quiet) {
    const report::Style style(options.color, isatty(STDERR_FILENO) == 1);
    std::fputs(report::warning_lines(warnings, options.verbose, style).c_str(), stderr);
  }
  return options.strict && !warnings.empty() ? Exit::No : Exit::Yes;
}

}  // namespace ptsd::command
