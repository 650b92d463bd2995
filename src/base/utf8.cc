// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <cstdint>
#include <cstring>

namespace ptsd {
namespace {

struct Lead {
  std::size_t size;
  char32_t bits;
  char32_t least;  // the smallest value that may be written with this size
};

Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {1, byte, 0};
  if (byte >= 0xC2 && byte < 0xE0) return {2, byte & 0x1Fu, 0x80};
  if (byte >= 0xE0 && byte < 0xF0) return {3, byte & 0x0Fu, 0x800};
  if (byte >= 0xF0 && byte < 0xF5) return {4, byte & 0x07u, 0x10000};
  return {0, 0, 0};
}

char continuation(char32_t value, unsigned shift) {
  return static_cast<char>(0x80 | ((value >> shift) & 0x3F));
}

}  // namespace

CodePoint next_code_point(std::string_view text) {
  const Lead lead = lead_of(static_cast<unsigned char>(text.front()));
  const CodePoint broken = {.value = static_cast<unsigned char>(text.front())};
  if (lead.size == 0 || lead.size > text.size()) return broken;
  char32_t value = lead.bits;
  for (const char c : text.substr(1, lead.size - 1)) {
    if ((c & 0xC0) != 0x80) return broken;
    value = value << 6 | (static_cast<unsigned char>(c) & 0x3Fu);
  }
  if (value < lead.least || value > 0x10FFFF) return broken;
  const bool surrogate = value >= 0xD800 && value < 0xE000;
  return {.value = value, .size = lead.size, .valid = !surrogate, .surrogate = surrogate};
}

bool is_ascii(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::uint64_t seen = 0;
  while (text.size() >= sizeof(seen)) {
    std::uint64_t eight;
    std::memcpy(&eight, text.data(), sizeof(eight));
    seen |= eight;
    text.remove_prefix(sizeof(eight));
  }
  for (const char c : text) {
    seen |= static_cast<unsigned char>(c);
  }
  return (seen & kHighBits) == 0;
}

bool is_wtf8(std::string_view text) {
  while (!text.empty()) {
    if (static_cast<unsigned char>(text.front()) < 0x80) {
      text.remove_prefix(1);
      continue;
    }
    const CodePoint point = next_code_point(text);
    if (!point.valid && !point.surrogate) return false;
    text.remove_prefix(point.size);
  }
  return true;
}

std::string replace_invalid(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const CodePoint point = next_code_point(text);
    if (point.valid) {
      out += text.substr(0, point.size);
    } else {
      append_utf8(out, 0xFFFD);
    }
    text.remove_prefix(point.size);
  }
  return out;
}

void append_utf8(std::string& text, char32_t value) {
  if (value < 0x80) {
    text += static_cast<char>(value);
  } else if (value < 0x800) {
    text += static_cast<char>(0xC0 | value >> 6);
    text += continuation(value, 0);
  } else if (value < 0x10000) {
    text += static_cast<char>(0xE0 | value >> 12);
    text += continuation(value, 6);
    text += continuation(value, 0);
  } else {
    text += static_cast<char>(0xF0 | value >> 18);
    text += continuation(value, 12);
    text += continuation(value, 6);
    text += continuation(value, 0);
  }
}

}  // namespace ptsd
