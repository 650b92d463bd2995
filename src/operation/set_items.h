// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checkpoint/names.h"

namespace ptsd::operation {

// The items of a set or frozenset in whichever form it was pickled, each as bytes that equal items
// have in common, sorted. Nothing for another value, and for a set that holds a tensor or a
// storage.
std::optional<std::vector<std::string>> set_items(const checkpoint::Names& names,
                                                  pickle::NodeId node);

}  // namespace ptsd::operation
