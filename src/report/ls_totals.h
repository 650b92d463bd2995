// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "report/ls.h"

// What the flat listing and the tree have in common.

namespace ptsd::report {

// The line that ends every listing.
void write_ls_totals(Output& output, const LsReport& report, const LsStyle& style);

}  // namespace ptsd::report
