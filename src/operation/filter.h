// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "checkpoint/draft.h"
#include "checkpoint/state_dict.h"

namespace ptsd::operation {

struct Filtered {
  std::uint64_t names = 0;  // entries of the state dicts
  std::uint64_t kept = 0;   // of these
  std::uint64_t modules_dropped = 0;

  bool anything() const { return kept < names || modules_dropped > 0; }
};

// Whether an entry of a state dict stays: its name, and its value.
using Keep = std::function<bool(std::string_view name, pickle::NodeId value)>;

// Leaves the entries that `keep` wants in each state dict, in their order. A module leaves
// _metadata with the last of its entries; one that never had an entry follows the module it is in.
Filtered filter(checkpoint::Draft& draft, const std::vector<checkpoint::StateDict>& state_dicts,
                const Keep& keep);

}  // namespace ptsd::operation
