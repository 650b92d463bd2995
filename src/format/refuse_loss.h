// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "format/payload_writer.h"

namespace ptsd::format {

// Throws Error::Conflict for what the graph of an input does not hold and its file does: an edit,
// which encodes the graph, would lose it; and for what follows the storages of a legacy stream
// other than `stream`, whose end is kept. `force` lets bytes behind the pickle and the stream go,
// and what the loader left out.
void refuse_loss(Inputs inputs, bool force, const Loaded* stream = nullptr);

}  // namespace ptsd::format
