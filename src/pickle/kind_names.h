// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "pickle/graph.h"

namespace ptsd::pickle {

// Python's name for the type of a node: "int", "dict"; "object" for what only a class could name.
std::string_view type_name(Kind kind);

// "a dict", "an int", for messages.
std::string with_article(Kind kind);

}  // namespace ptsd::pickle
