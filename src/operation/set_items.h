// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "checkpoint/names.h"

namespace ptsd::operation {

// A set or frozenset, in whichever form it was pickled.
bool is_set(const checkpoint::Names& names, pickle::NodeId node);

// The items of a set, each as bytes that equal items have in common, sorted. Nothing for another
// value, for a set of anything but numbers, text, tuples, sets and plain objects, and where shared
// parts would make the items take over 64 MiB.
std::optional<std::vector<std::string>> set_items(const checkpoint::Names& names,
                                                  pickle::NodeId node);

}  // namespace ptsd::operation
