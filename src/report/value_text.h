// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "checkpoint/names.h"

namespace ptsd::report {

// A value in one short line, as Python would print it, escaped; "{}", "[]" and the like for empty
// containers; empty where the type says all there is.
std::string value_text(const checkpoint::Names& names, pickle::NodeId node);

}  // namespace ptsd::report
