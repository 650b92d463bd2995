// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "checkpoint/checkpoint.h"
#include "operation/rebuild_call.h"

namespace ptsd::operation {

// The call of this function that made a tensor, perhaps inside a Parameter; nothing for one that
// was made otherwise.
std::optional<RebuildCall> find_inner_call(const checkpoint::Names& names, pickle::NodeId node,
                                           checkpoint::Known function);

}  // namespace ptsd::operation
