// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/draft.h"
#include "checkpoint/state_dict.h"

// Edits of what a pickle says of its tensors, which leave their bytes alone. Each returns how many
// it changed.

namespace ptsd::operation {

// Storages, by their location tag: "cpu", "cuda:1".
std::uint64_t set_location(checkpoint::Draft& draft, std::string_view location);

// Tensors of the state dicts; integers and booleans cannot require a gradient. Throws
// Error::Unsupported for one that keeps it where it cannot be changed.
std::uint64_t set_requires_grad(checkpoint::Draft& draft,
                                const std::vector<checkpoint::StateDict>& state_dicts, bool value);

// Mentions of a global, "module.name" in the spelling of the file or in that of Python 3. Throws
// Error::Usage if there is none.
std::uint64_t map_global(checkpoint::Draft& draft, const std::string& from, const std::string& to);

// Gives the pickle the form of protocol 2; after any other edit. Returns whether it had another.
bool convert_to_protocol2(checkpoint::Draft& draft);

}  // namespace ptsd::operation
