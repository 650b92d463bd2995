// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ptsd::command {

// Arguments in which all parts of a set, one after another as a shell lists them, are one: the name
// of the set, "model-*-of-00002.bin". Fewer than all of them stay what they are.
std::vector<std::string> join_parts(const std::vector<std::string>& arguments);

// Whether the argument is called like a part of a set.
bool is_part(std::string_view argument);

}  // namespace ptsd::command
