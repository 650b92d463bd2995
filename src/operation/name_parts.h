// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

// Pieces of names at their separators, "." and "/": what a mistyped prefix or suffix is compared
// with.

namespace ptsd::operation {

// Each different beginning, up to and with a separator.
std::vector<std::string> name_beginnings(std::span<const std::string_view> names);
// Each different end, from a separator on.
std::vector<std::string> name_endings(std::span<const std::string_view> names);

}  // namespace ptsd::operation
