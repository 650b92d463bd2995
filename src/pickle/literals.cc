// SPDX-License-Identifier: Apache-2.0
#include "pickle/literals.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "base/quote.h"
#include "base/utf8.h"

namespace ptsd::pickle {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

template <class T>
std::optional<T> parse_whole(std::string_view text, auto... base) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base...);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<char32_t> parse_hex(std::string_view text, std::size_t at, std::size_t digits) {
  if (at > text.size() || text.size() - at < digits) return std::nullopt;
  return parse_whole<std::uint32_t>(text.substr(at, digits), 16);
}

struct Escape {
  char letter;
  char value;
};

constexpr Escape kEscapes[] = {
    {'\\', '\\'},
    {'\'', '\''},
    {'"',  '"' },
    {'a',  '\a'},
    {'b',  '\b'},
    {'f',  '\f'},
    {'n',  '\n'},
    {'r',  '\r'},
    {'t',  '\t'},
    {'v',  '\v'},
};

// Consumes the escape behind a backslash.
bool append_escape(std::string& out, std::string_view& rest) {
  const char letter = rest.front();
  if (letter == 'x') {
    const std::optional<char32_t> value = parse_hex(rest, 1, 2);
    if (!value) return false;
    out += static_cast<char>(*value);
    rest.remove_prefix(3);
    return true;
  }
  if (letter >= '0' && letter <= '7') {
    const auto past =
        std::ranges::find_if_not(rest.substr(0, 3), [](char c) { return c >= '0' && c <= '7'; });
    const auto digits = static_cast<std::size_t>(past - rest.begin());
    out += static_cast<char>(*parse_whole<unsigned>(rest.substr(0, digits), 8));
    rest.remove_prefix(digits);
    return true;
  }
  const auto* found = std::ranges::find(kEscapes, letter, &Escape::letter);
  if (found == std::end(kEscapes)) {
    out += '\\';  // Python keeps an escape that it does not know
    return true;
  }
  out += found->value;
  rest.remove_prefix(1);
  return true;
}

}  // namespace

bool is_decimal(std::string_view text) {
  if (text == "0") return true;
  if (text.starts_with('-')) text.remove_prefix(1);
  return !text.empty() && text.front() != '0' && std::ranges::all_of(text, is_digit);
}

std::optional<std::int64_t> parse_int(std::string_view text) {
  if (!is_decimal(text)) return std::nullopt;
  return parse_whole<std::int64_t>(text);
}

std::optional<std::uint64_t> parse_memo_index(std::string_view text) {
  const std::optional<std::int64_t> index = parse_int(text);
  if (!index || *index < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*index);
}

std::optional<double> parse_float(std::string_view text) {
  if (text.starts_with("+-") || text.ends_with(')')) return std::nullopt;  // +-1, nan(1)
  if (text.starts_with('+')) text.remove_prefix(1);
  return parse_whole<double>(text);
}

std::optional<std::string> unescape_string(std::string_view quoted) {
  const bool closed = quoted.size() >= 2 && quoted.front() == quoted.back() &&
                      (quoted.front() == '\'' || quoted.front() == '"');
  if (!closed) return std::nullopt;
  std::string_view rest = quoted.substr(1, quoted.size() - 2);
  std::string out;
  while (!rest.empty()) {
    const char c = rest.front();
    rest.remove_prefix(1);
    if (c != '\\') {
      out += c;
    } else if (rest.empty() || !append_escape(out, rest)) {
      return std::nullopt;
    }
  }
  return out;
}

std::optional<std::string> unescape_unicode(std::string_view raw) {
  std::string out;
  while (!raw.empty()) {
    const bool is_short = raw.starts_with("\\u");
    if (is_short || raw.starts_with("\\U")) {
      const std::size_t digits = is_short ? 4 : 8;
      const std::optional<char32_t> value = parse_hex(raw, 2, digits);
      if (!value || *value > 0x10FFFF) return std::nullopt;
      append_utf8(out, *value);
      raw.remove_prefix(2 + digits);
      continue;
    }
    // Of two backslashes the second begins no escape.
    const std::size_t plain = raw.starts_with("\\\\") ? 2 : 1;
    for (const char c : raw.substr(0, plain)) {
      append_utf8(out, static_cast<unsigned char>(c));
    }
    raw.remove_prefix(plain);
  }
  return out;
}

bool fits_global(std::string_view name) {
  return name.find('\n') == std::string_view::npos && is_utf8(name);
}

std::int64_t int_from_bytes(std::string_view bytes) {
  if (bytes.empty()) return 0;
  std::uint64_t value = 0;
  for (const char byte : bytes) {
    value = value >> 8 | std::uint64_t{static_cast<unsigned char>(byte)} << 56;
  }
  // The bytes came in at the top; an arithmetic shift brings them down with their sign.
  return static_cast<std::int64_t>(value) >> 8 * (8 - bytes.size());
}

std::string_view shortest_int_bytes(std::string_view bytes) {
  while (!bytes.empty()) {
    const bool negative_below = bytes.size() > 1 && (bytes[bytes.size() - 2] & 0x80) != 0;
    if (bytes.back() != (negative_below ? '\xff' : '\0')) break;
    bytes.remove_suffix(1);
  }
  return bytes;
}

}  // namespace ptsd::pickle
