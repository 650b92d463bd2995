// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "checkpoint/draft.h"
#include "command/options.h"
#include "command/planned_file.h"
#include "format/open.h"
#include "format/torch_zip_plan.h"

namespace ptsd::command {

// How a draft of the first input gets into the container that container_of() says, or into parts.
// Throws what the format's writer does for what it has no place for, Error::Usage for options that
// are for another container.
PlannedFile plan_file(checkpoint::Draft& draft, const std::vector<format::Opened*>& inputs,
                      const OutputOptions& output, const StateDictOptions& state_dict,
                      const format::SaveOptions& options, const Limits& limits);

}  // namespace ptsd::command
