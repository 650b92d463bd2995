// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "checkpoint/checkpoint.h"

namespace ptsd::checkpoint {

// The node at a path below `root` as list() spells it, or that of a container; nothing if there is
// none.
std::optional<pickle::NodeId> resolve(const Checkpoint& checkpoint, pickle::NodeId root,
                                      std::string_view path);

}  // namespace ptsd::checkpoint
