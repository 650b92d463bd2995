// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "command/options.h"
#include "operation/pattern.h"
#include "operation/selection.h"

namespace ptsd::command {

// Compiles what was typed and reads the files of names. Throws Error::Usage and Error::Io.
operation::SelectionRules selection_rules(const SelectionOptions& options);

// Globs, or "re:REGEX", compiled.
std::vector<operation::Pattern> patterns(const std::vector<std::string>& texts);

// A dtype by its name or an alias, or fail_usage in the name of `option`.
tensor::DType parse_dtype(std::string_view option, std::string_view text);

}  // namespace ptsd::command
