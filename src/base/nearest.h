// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// What a mistyped word was probably meant to be.

namespace ptsd {

// Damerau-Levenshtein (optimal string alignment): insertions, deletions, substitutions and swaps
// of neighbours, in bytes.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The first of the nearest candidates, if it is near enough to be worth saying.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

// "; did you mean 'x'?", or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

}  // namespace ptsd
