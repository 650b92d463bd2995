// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "checkpoint/draft.h"
#include "operation/text_nodes.h"

namespace ptsd::operation {

// The names that optimizers keep of their parameters: the lists "param_names" in the dicts of a
// list "param_groups", wherever it stands. Those that have a new name get it; returns how many.
std::uint64_t replace_param_names(
    checkpoint::Draft& draft, TextNodes& texts,
    const std::unordered_map<std::string_view, std::string>& new_names);

}  // namespace ptsd::operation
