// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "operation/diff.h"
#include "report/output.h"

namespace ptsd::report {

struct DiffReport {
  const operation::Diff& diff;
  const checkpoint::Checkpoint& a;
  const checkpoint::Checkpoint& b;
  std::string name_a;  // as typed
  std::string name_b;
  const operation::DiffOptions& options;
  std::optional<std::uint64_t> limit = {};  // of differences that are shown
  std::vector<Warning> warnings = {};

  std::uint64_t count() const {
    return diff.only_a.size() + diff.only_b.size() + diff.changed.size() +
           diff.other_changed.size();
  }
  std::uint64_t shown() const { return limit && *limit < count() ? *limit : count(); }
};

// A line for each difference, and the totals.
void write_diff_text(Output& output, const DiffReport& report);
// The totals alone.
void write_diff_brief(Output& output, const DiffReport& report);
void write_diff_json(Output& output, const DiffReport& report);

// Where an element of this number stands: [3, 7].
std::vector<std::uint64_t> index_of(std::uint64_t number, tensor::Dims shape);

std::string_view to_string(operation::Aspect aspect);

}  // namespace ptsd::report
