// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "checkpoint/names.h"

namespace ptsd::checkpoint {

// The path of the first way from `root` to `target`, or to the tensor that is made from it, for
// error messages; nothing if there is none. Each object is looked at once.
std::optional<std::string> locate(const Names& names, pickle::NodeId root, pickle::NodeId target);

}  // namespace ptsd::checkpoint
