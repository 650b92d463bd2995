// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checkpoint/draft.h"
#include "command/options.h"
#include "command/planned_file.h"
#include "format/open.h"
#include "format/payload_writer.h"

namespace ptsd::command {

// Several files with an index, as Hugging Face writes them: of at most --max-shard-size, else
// spread as those of the input are. Throws Error::Usage for what has no place in them.
PlannedFile plan_parts(checkpoint::Draft& draft, const format::Opened& input, format::Inputs inputs,
                       const OutputOptions& output, const StateDictOptions& state_dict,
                       const Limits& limits);

}  // namespace ptsd::command
