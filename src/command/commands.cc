// SPDX-License-Identifier: Apache-2.0
#include "command/commands.h"

namespace ptsd::command {

std::span<const Command* const> commands() {
  return {};
}

}  // namespace ptsd::command
