// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "report/output.h"

namespace ptsd::report {

// A name that an edit changed; without a new one it is gone.
struct Change {
  std::string from;
  std::optional<std::string> to;
};

// What an editing command did, or would do.
struct EditReport {
  std::string_view command;
  std::vector<std::string> inputs = {};
  std::optional<std::string> output = {};  // nothing: not decided (--dry-run without a target)
  bool dry_run = false;
  bool changed = true;      // false: the output is the input again
  bool left_alone = false;  // in place, and nothing to change
  bool written = false;     // whether the output was written
  std::uint64_t bytes = 0;  // of the output
  std::string_view format = {};
  std::string what = {};  // "renamed 3 of 12 names in 'model'"
  std::vector<std::pair<std::string_view, std::uint64_t>> counts = {};  // for JSON, by key
  std::vector<std::string> state_dicts = {};  // paths of those that were edited
  std::vector<Change> changes = {};
  std::vector<Warning> warnings = {};
};

// The plan for stdout: a line for each change.
void write_edit_plan(Output& output, const EditReport& report);
void write_edit_json(Output& output, const EditReport& report);
// One line for stderr.
std::string edit_summary(const EditReport& report);

}  // namespace ptsd::report
