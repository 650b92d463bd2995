// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "checkpoint/draft.h"
#include "command/options.h"
#include "format/open.h"

// Which container an edited checkpoint goes into.

namespace ptsd::command {

// --to, else what the name of the output says, else the input's own where that can be written,
// else an archive of torch.save. Throws Error::Usage for a file that --in-place would turn into
// another container, Error::Conflict for one that an edit would lose a part of.
Container container_of(const checkpoint::Draft& draft, const format::Opened& input,
                       const OutputOptions& output);

// Whether a directory of parts is written.
bool is_sharded(const format::Opened& input, const OutputOptions& output);

// Whether the output is the one input, whole, in the container that it has: nothing can be lost.
bool is_copy(const checkpoint::Draft& draft, const std::vector<format::Opened*>& inputs,
             const OutputOptions& output);

}  // namespace ptsd::command
