// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ptsd::report {

// What --color can say.
enum class Color : std::uint8_t { Auto, Always, Never };

// What a piece of text is, for the eye.
enum class Role : std::uint8_t { Plain, Heading, Added, Removed, Changed, Error, Warning, Aside };

// How roles look on one stream: in colours, or not at all. Text takes the same columns either way,
// but escape sequences must not be counted: what is aligned or cut is painted last.
class Style {
 public:
  // No colours.
  Style() = default;
  // Auto is for a terminal that can, unless NO_COLOR is set.
  Style(Color color, bool is_terminal);

  std::string paint(Role role, std::string_view text) const;

 private:
  bool colors_ = false;
};

}  // namespace ptsd::report
