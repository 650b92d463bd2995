// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/draft.h"
#include "checkpoint/state_dict.h"
#include "operation/rename_rules.h"

namespace ptsd::operation {

struct Renamed {
  std::uint64_t names = 0;    // entries of the state dicts
  std::uint64_t renamed = 0;  // of these
  std::uint64_t modules = 0;  // keys of _metadata that were renamed
  std::uint64_t param_names = 0;
  std::vector<std::pair<std::string, std::string>> changes;  // old and new, if asked for

  bool anything() const { return renamed + modules + param_names > 0; }
};

struct RenameOptions {
  bool allow_unmatched = false;
  bool list_changes = false;
};

// Renames the entries of the state dicts, the modules in their _metadata with them, and the
// param_names of optimizers. Order and values stay. Throws Error::Conflict where two entries would
// get one name, and Error::Usage for a rule that matched nothing unless that is allowed.
Renamed rename(checkpoint::Draft& draft, const std::vector<checkpoint::StateDict>& state_dicts,
               RenameRules& rules, const RenameOptions& options);

}  // namespace ptsd::operation
