// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "command/command.h"

// The commands of ptsd. Each is defined in the file of its name.

namespace ptsd::command {

// In the order of the overview.
std::span<const Command* const> commands();

}  // namespace ptsd::command
