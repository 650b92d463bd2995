// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "command/command.h"
#include "report/style.h"

namespace ptsd::command {

// What the command line asks for, as an action that has yet to run; asking for help or the
// version is one. `arguments` leaves out the name of the program. Touches no file. Throws
// Error::Usage, naming the nearest command or option where one was mistyped.
Action parse(std::span<const Command* const> commands, const std::vector<std::string>& arguments);

// Whether errors are to be JSON. Asked apart from parse(), because it holds for a command line
// that cannot be parsed, too.
bool wants_json(const std::vector<std::string>& arguments);
// What --color says about errors; likewise.
report::Color color_of(const std::vector<std::string>& arguments);

}  // namespace ptsd::command
