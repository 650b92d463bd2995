// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "checkpoint/draft.h"
#include "checkpoint/state_dict.h"
#include "command/command.h"
#include "command/options.h"
#include "format/open.h"
#include "format/torch_zip_plan.h"
#include "report/edit.h"

// What every editing command does around its edit: open, and write all or nothing.

namespace ptsd::command {

// A draft that changes nothing yet. The subtree of FILE#PATH becomes the whole.
checkpoint::Draft draft_of(format::Opened& opened);

// "in 'model', 'ema'"; nothing for a state dict that is the root.
std::string describe(const std::vector<checkpoint::StateDict>& state_dicts);

// What the user said of the output.
struct SaveRequest {
  const OutputOptions& output;
  const StateDictOptions& state_dict;  // which goes into a format that holds one
  const CommonOptions& common;
  format::SaveOptions format = {};
};

// Writes the draft, or says what would be written. `report` holds what the command did; the rest
// is filled in.
Exit save(checkpoint::Draft& draft, const std::vector<format::Opened*>& inputs,
          const SaveRequest& request, report::EditReport report);

}  // namespace ptsd::command
