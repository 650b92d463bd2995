// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "command/command.h"

namespace ptsd::command {

extern const Command stat_command;

}  // namespace ptsd::command
