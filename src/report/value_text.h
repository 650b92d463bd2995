// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>

#include "checkpoint/names.h"

namespace ptsd::report {

inline constexpr std::size_t kShortValue = 120;  // bytes

// A value in one line, as Python would print it, escaped, at most `longest` bytes of it; "{}", "[]"
// and the like for empty containers; empty where the type says all there is.
std::string value_text(const checkpoint::Names& names, pickle::NodeId node,
                       std::size_t longest = kShortValue);

}  // namespace ptsd::report
