// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>

#include "command/command.h"
#include "command/flags.h"

// The text of --help. Completions read it: an option stands on a line of its own that begins
// with two spaces.

namespace ptsd::command {

std::string overview(std::span<const Command* const> commands);
std::string help(const Command& command, const Flags& flags);

}  // namespace ptsd::command
