// SPDX-License-Identifier: Apache-2.0
#include "format/json_text.h"

#include <iterator>

#include <fmt/format.h>

#include "base/utf8.h"

namespace ptsd::format {

namespace {

// The letter behind the backslash; 0: none.
char letter_of(char32_t value) {
  switch (value) {
    case '"': return '"';
    case '\\': return '\\';
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    default: return '\0';
  }
}

void append_escape(std::string& out, char32_t value) {
  const auto unit = [&](char32_t half) {
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(half));
  };
  if (value < 0x10000) return unit(value);
  unit(0xD800 + ((value - 0x10000) >> 10));
  unit(0xDC00 + ((value - 0x10000) & 0x3FF));
}

}  // namespace

void append_json_string(std::string& out, std::string_view text, JsonEscapes escapes) {
  out += '"';
  while (!text.empty()) {
    const CodePoint point = next_code_point(text);
    const bool is_escaped =
        point.value < 0x20 || (escapes == JsonEscapes::Ascii && point.value > 0x7E);
    if (const char letter = letter_of(point.value)) {
      out += {'\\', letter};
    } else if (is_escaped) {
      append_escape(out, point.value);
    } else {
      out += text.substr(0, point.size);
    }
    text.remove_prefix(point.size);
  }
  out += '"';
}

}  // namespace ptsd::format
