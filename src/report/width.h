// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// Columns of a terminal that text takes. The text has been escaped: it is UTF-8 or plain bytes,
// without control characters.

namespace ptsd::report {

std::size_t display_width(std::string_view text);

// The text, cut in the middle with "…" if it is wider than `columns`: the ends of names tell most.
std::string fit(std::string_view text, std::size_t columns);

// Appends the text, which takes `width` columns, and the spaces that fill it up to `columns`.
enum class Align { Left, Right };
void append_padded(std::string& out, std::string_view text, std::size_t width, std::size_t columns,
                   Align align);

}  // namespace ptsd::report
