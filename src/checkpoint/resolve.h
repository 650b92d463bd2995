// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

#include "checkpoint/checkpoint.h"

namespace ptsd::checkpoint {

// The node at a path below `root` as list() has it, or that of a container; nothing if there is
// none. Where no path is like that, it is taken as a listing prints it: escaped, and '' for one
// that is empty and not the root's.
std::optional<pickle::NodeId> resolve(const Checkpoint& checkpoint, pickle::NodeId root,
                                      std::string_view path);

}  // namespace ptsd::checkpoint
