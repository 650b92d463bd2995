// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "checkpoint/draft.h"
#include "checkpoint/state_dict.h"
#include "command/command.h"
#include "command/options.h"
#include "format/open.h"
#include "format/torch_zip_save.h"
#include "report/edit.h"

// What every editing command does around its edit: open, and write all or nothing.

namespace ptsd::command {

// A draft that changes nothing yet. The subtree of FILE#PATH becomes the whole.
checkpoint::Draft draft_of(format::Opened& opened);

// "in 'model', 'ema'"; nothing for a state dict that is the root.
std::string describe(const std::vector<checkpoint::StateDict>& state_dicts);

std::vector<std::string> paths_of(const std::vector<checkpoint::StateDict>& state_dicts);

// Writes the draft, or says what would be written. `report` holds what the command did; the rest
// is filled in.
Exit save(const checkpoint::Draft& draft, const std::vector<format::Opened*>& inputs,
          const OutputOptions& output, const format::SaveOptions& format,
          const CommonOptions& common, report::EditReport report);

}  // namespace ptsd::command
