// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace ptsd::report {

// Warnings as lines for stderr, "ptsd: warning: ..."; of many, the first few and how many more.
std::string warning_lines(const std::vector<Warning>& warnings, bool all);

}  // namespace ptsd::report
