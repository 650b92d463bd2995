// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "report/style.h"

namespace ptsd::report {

// Without control and bidirectional characters, should a message hold any in spite of quote(). What
// is quoted stays as it is.
std::string printable(std::string_view message);

// Warnings as lines for stderr, "ptsd: warning: ..."; of many, the first few and how many more.
std::string warning_lines(const std::vector<Warning>& warnings, bool all, const Style& style);

// "ptsd: ...", a line too.
std::string error_line(std::string_view message, const Style& style);

}  // namespace ptsd::report
