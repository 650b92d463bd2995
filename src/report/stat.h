// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "checkpoint/listing.h"
#include "operation/stat.h"
#include "report/output.h"

namespace ptsd::report {

struct StatReport {
  const checkpoint::Checkpoint& checkpoint;
  std::vector<checkpoint::Entry> entries;    // borrows a listing
  std::vector<operation::TensorStat> stats;  // one for each
  std::vector<Warning> warnings = {};
};

// What was found in all tensors together.
struct StatTotals {
  std::uint64_t elements = 0;
  std::uint64_t zeros = 0;
  std::uint64_t nan = 0;
  std::uint64_t inf = 0;
  std::uint64_t tensors_with_nan = 0;
  std::uint64_t tensors_with_inf = 0;
};

StatTotals total(const StatReport& report);

// A line for each tensor, and the totals.
void write_stat_text(Output& output, const StatReport& report);
void write_stat_json(Output& output, const StatReport& report);

}  // namespace ptsd::report
