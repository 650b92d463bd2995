// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// UTF-8, and the WTF-8 that Python's "surrogatepass" writes.

namespace ptsd {

struct CodePoint {
  char32_t value = 0;
  std::size_t size = 1;    // bytes
  bool valid = false;      // strict UTF-8
  bool surrogate = false;  // a lone surrogate: WTF-8, not UTF-8
};

// The code point at the start of `text`, which must not be empty. Bytes that are neither UTF-8
// nor an encoded surrogate come back one at a time, with `valid` and `surrogate` false.
CodePoint next_code_point(std::string_view text);

bool is_ascii(std::string_view text);

// UTF-8 throughout, surrogates allowed.
bool is_wtf8(std::string_view text);

// The text with U+FFFD for each lone surrogate and each byte that is not UTF-8.
std::string replace_invalid(std::string_view text);

void append_utf8(std::string& text, char32_t value);

}  // namespace ptsd
