// SPDX-License-Identifier: Apache-2.0
#include "report/messages.h"

#include <algorithm>

#include <fmt/format.h>

namespace ptsd::report {
namespace {

constexpr std::size_t kMostWarnings = 10;

}  // namespace

std::string warning_lines(const std::vector<Warning>& warnings, bool all) {
  std::string text;
  const std::size_t shown = all ? warnings.size() : std::min(warnings.size(), kMostWarnings);
  for (std::size_t i = 0; i < shown; ++i) {
    text +=
        fmt::format("ptsd: warning: {}: {}\n", to_string(warnings[i].where), warnings[i].message);
  }
  if (shown < warnings.size()) {
    text += fmt::format("ptsd: warning: … and {} more (-v shows all)\n", warnings.size() - shown);
  }
  return text;
}

}  // namespace ptsd::report
