// SPDX-License-Identifier: Apache-2.0
#include "report/width.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"

namespace ptsd::report {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// East Asian Wide and Fullwidth, and emoji that are shown wide (Unicode 15, coarse).
constexpr auto kWide = std::to_array<Range>({
    {0x1100,  0x115F },
    {0x2E80,  0x303E },
    {0x3041,  0x33FF },
    {0x3400,  0x4DBF },
    {0x4E00,  0x9FFF },
    {0xA000,  0xA4CF },
    {0xA960,  0xA97F },
    {0xAC00,  0xD7A3 },
    {0xF900,  0xFAFF },
    {0xFE30,  0xFE6F },
    {0xFF01,  0xFF60 },
    {0xFFE0,  0xFFE6 },
    {0x1F300, 0x1F64F},
    {0x1F680, 0x1F6FF},
    {0x1F900, 0x1F9FF},
    {0x20000, 0x3FFFD},
});

// Marks that stand on the character before them.
constexpr auto kCombining = std::to_array<Range>({
    {0x0300, 0x036F},
    {0x1AB0, 0x1AFF},
    {0x1DC0, 0x1DFF},
    {0x20D0, 0x20FF},
    {0xFE00, 0xFE0F},
    {0xFE20, 0xFE2F},
});

template <std::size_t N>
bool contains(const std::array<Range, N>& ranges, char32_t value) {
  return std::ranges::any_of(
      ranges, [value](const Range& r) { return value >= r.first && value <= r.last; });
}

std::size_t width_of(char32_t value) {
  if (value < 0x300) return 1;
  if (contains(kCombining, value)) return 0;
  return contains(kWide, value) ? 2 : 1;
}

// The end of the longest beginning of `text` that is no wider than `columns`.
std::size_t prefix_within(std::string_view text, std::size_t columns) {
  std::size_t at = 0;
  while (at < text.size()) {
    const CodePoint point = next_code_point(text.substr(at));
    if (width_of(point.value) > columns) break;
    columns -= width_of(point.value);
    at += point.size;
  }
  return at;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  if (is_ascii(text)) return text.size();
  std::size_t width = 0;
  while (!text.empty()) {
    if (static_cast<unsigned char>(text.front()) < 0x80) {
      ++width;
      text.remove_prefix(1);
      continue;
    }
    const CodePoint point = next_code_point(text);
    width += width_of(point.value);
    text.remove_prefix(point.size);
  }
  return width;
}

std::string fit(std::string_view text, std::size_t columns) {
  const std::size_t width = display_width(text);
  if (width <= columns || columns == 0) return std::string(text);
  const std::size_t head = (columns - 1) / 2;
  const std::size_t tail = columns - 1 - head;
  // A wide character at the cut can leave one column free.
  std::size_t tail_begin = prefix_within(text, width - tail);
  while (display_width(text.substr(tail_begin)) > tail) {
    tail_begin += next_code_point(text.substr(tail_begin)).size;
  }
  return std::string(text.substr(0, prefix_within(text, head))) + "…" +
         std::string(text.substr(tail_begin));
}

void append_padded(std::string& out, std::string_view text, std::size_t width, std::size_t columns,
                   Align align) {
  const std::size_t pad = columns > width ? columns - width : 0;
  if (align == Align::Right) out.append(pad, ' ');
  out += text;
  if (align == Align::Left) out.append(pad, ' ');
}

}  // namespace ptsd::report
