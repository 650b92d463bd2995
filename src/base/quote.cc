// SPDX-License-Identifier: Apache-2.0
#include "base/quote.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include <fmt/format.h>

#include "base/utf8.h"

namespace ptsd {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// What can move a cursor, hide, or reorder what stands beside it (Unicode 15: Cc, Zl, Zp, the
// bidirectional controls, and the format characters that have no width).
constexpr auto kUnsafe = std::to_array<Range>({
    {0x0000,  0x001F }, // C0
    {0x007F,  0x009F }, // DEL, C1
    {0x00AD,  0x00AD }, // soft hyphen
    {0x061C,  0x061C }, // Arabic letter mark
    {0x180E,  0x180E }, // Mongolian vowel separator
    {0x200B,  0x200F }, // zero width, left-to-right and right-to-left marks
    {0x2028,  0x202E }, // separators, embeddings and overrides
    {0x2060,  0x206F }, // joiners, isolates
    {0xFEFF,  0xFEFF }, // byte order mark
    {0xFFF9,  0xFFFB }, // interlinear annotation
    {0xE0000, 0xE0FFF}, // tags
});

bool is_unsafe(char32_t value) {
  return std::ranges::any_of(
      kUnsafe, [value](const Range& range) { return value >= range.first && value <= range.last; });
}

bool is_plain_ascii(char c) {
  return c >= 0x20 && c < 0x7F && c != '\\';
}

void append_code_point(std::string& out, std::string_view text, const CodePoint& point) {
  if (text.front() == '\\') {
    out += "\\\\";
  } else if (!point.valid && !point.surrogate) {
    out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
  } else if (point.value < 0x80 && is_unsafe(point.value)) {
    out += fmt::format("\\x{:02x}", static_cast<unsigned>(point.value));
  } else if (point.surrogate || is_unsafe(point.value)) {
    out += fmt::format("\\u{{{:04x}}}", static_cast<unsigned>(point.value));
  } else {
    out += text.substr(0, point.size);
  }
}

// Takes up to `most` hexadecimal digits off `text`.
char32_t take_hex(std::string_view& text, std::size_t most) {
  std::uint32_t value = 0;
  const std::string_view digits = text.substr(0, most);
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  text.remove_prefix(static_cast<std::size_t>(end - digits.data()));
  return value;
}

// Takes one escape sequence off `text` and appends what it stands for. Of what is none, anything.
void take_escape(std::string& out, std::string_view& text) {
  constexpr std::size_t kMostDigits = 6;
  if (text.starts_with("\\x")) {
    text.remove_prefix(2);
    out += static_cast<char>(take_hex(text, 2));
  } else if (text.starts_with("\\u{")) {
    text.remove_prefix(3);
    append_utf8(out, take_hex(text, kMostDigits));
    text.remove_prefix(std::min<std::size_t>(text.size(), 1));
  } else {
    out += '\\';
    text.remove_prefix(std::min<std::size_t>(text.size(), 2));
  }
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto plain = std::ranges::find_if_not(text, is_plain_ascii);
    const auto count = static_cast<std::size_t>(plain - text.begin());
    out += text.substr(0, count);
    text.remove_prefix(count);
    if (text.empty()) break;
    const CodePoint point = next_code_point(text);
    append_code_point(out, text, point);
    text.remove_prefix(point.size);
  }
}

std::string escape(std::string_view text) {
  std::string out;
  append_escaped(out, text);
  return out;
}

std::string escape_repr(std::string_view repr) {
  std::string out;
  while (true) {
    const std::size_t backslash = std::min(repr.find('\\'), repr.size());
    append_escaped(out, repr.substr(0, backslash));
    if (backslash == repr.size()) return out;
    out += '\\';
    repr.remove_prefix(backslash + 1);
  }
}

std::optional<std::string> unescape(std::string_view spelling) {
  std::string out;
  for (std::string_view rest = spelling; !rest.empty();) {
    const std::size_t plain = std::min(rest.find('\\'), rest.size());
    out += rest.substr(0, plain);
    rest.remove_prefix(plain);
    if (!rest.empty()) take_escape(out, rest);
  }
  if (escape(out) != spelling) return std::nullopt;
  return out;
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, is_plain_ascii) || escape(text) == text;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const CodePoint point = next_code_point(text);
    if (!point.valid) return false;
    text.remove_prefix(point.size);
  }
  return true;
}

std::string abbreviate(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string(text);
  std::size_t cut = limit;
  while (cut > 0 && (text[cut] & 0xC0) == 0x80) {
    --cut;
  }
  return std::string(text.substr(0, cut)) + "…";
}

std::string quote(std::string_view text) {
  return "'" + escape(abbreviate(text)) + "'";
}

std::string shell_word(std::string_view text) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:+,@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == text.npos) return std::string(text);
  if (is_plain(text) && text.find('\'') == text.npos) return fmt::format("'{}'", text);
  std::string word = "$'";
  while (!text.empty()) {
    const CodePoint point = next_code_point(text);
    const std::string_view bytes = text.substr(0, point.size);
    text.remove_prefix(point.size);
    if (bytes == "'" || bytes == "\\") {
      word += "\\";
      word += bytes;
    } else if (point.valid && !is_unsafe(point.value)) {
      word += bytes;
    } else {
      for (const char byte : bytes) {
        word += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
      }
    }
  }
  return word + "'";
}

std::string quote_some(std::span<const std::string> texts, std::size_t most) {
  std::string out;
  for (const std::string& text : texts.first(std::min(texts.size(), most))) {
    out += (out.empty() ? "" : ", ") + quote(text);
  }
  if (texts.size() > most) out += fmt::format(" and {} more", texts.size() - most);
  return out;
}

}  // namespace ptsd
