// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "command/options.h"
#include "operation/selection.h"

namespace ptsd::command {

// Compiles what was typed and reads the files of names. Throws Error::Usage and Error::Io.
operation::SelectionRules selection_rules(const SelectionOptions& options);

}  // namespace ptsd::command
