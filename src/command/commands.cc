// SPDX-License-Identifier: Apache-2.0
#include "command/commands.h"

#include <array>

#include "command/cat.h"
#include "command/diff.h"
#include "command/filter.h"
#include "command/fit.h"
#include "command/info.h"
#include "command/ls.h"
#include "command/merge.h"
#include "command/rename.h"
#include "command/rewrite.h"
#include "command/stat.h"

namespace ptsd::command {

std::span<const Command* const> commands() {
  static constexpr auto kCommands = std::to_array<const Command*>({
      &info_command,
      &ls_command,
      &cat_command,
      &stat_command,
      &diff_command,
      &fit_command,
      &rename_command,
      &filter_command,
      &merge_command,
      &rewrite_command,
  });
  return kCommands;
}

}  // namespace ptsd::command
