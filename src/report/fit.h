// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "operation/fit.h"
#include "operation/suggest.h"
#include "report/output.h"

namespace ptsd::report {

// What `ptsd fit` has to say. Borrows the verdict.
struct FitReport {
  std::string checkpoint;             // as it was typed
  std::string reference;              // likewise; stands where torch names the model's class
  std::string checkpoint_state_dict;  // paths; empty: the root
  std::string reference_state_dict;
  bool strict = true;
  const operation::Fit& fit;
  std::vector<operation::Suggestion> suggestions = {};
  std::vector<operation::Rivals> rivals = {};
  std::vector<Warning> warnings = {};

  bool loads() const { return fit.loads(strict); }
};

// The exception that load_state_dict() would raise, or what it would return, as Python prints it.
std::string torch_text(const FitReport& report);

// A rule as one would type it, in words of a shell: "--strip-prefix module.".
std::string rule_text(const operation::Suggestion& rule);

void write_fit_text(Output& output, const FitReport& report);
void write_fit_json(Output& output, const FitReport& report);

}  // namespace ptsd::report
