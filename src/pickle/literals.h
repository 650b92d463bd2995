// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The text forms of protocol 0. Each function returns nothing when the text is not one that a
// pickler writes; where Python's readers differ from one another (a number with a base, 1_000),
// the text is refused and not guessed at.

namespace ptsd::pickle {

// [-]digits without leading zeros, and not -0.
bool is_decimal(std::string_view text);

// Nothing either when the number does not fit: an int 64 bits, a float a double.
std::optional<std::int64_t> parse_int(std::string_view text);
std::optional<std::uint64_t> parse_memo_index(std::string_view text);
std::optional<double> parse_float(std::string_view text);

// 'text' or "text" with Python 2's backslash escapes: the bytes.
std::optional<std::string> unescape_string(std::string_view quoted);

// raw-unicode-escape: \uXXXX and \UXXXXXXXX, every other byte a Latin-1 character; as WTF-8.
std::optional<std::string> unescape_unicode(std::string_view raw);

// Whether a line of GLOBAL can hold the name: UTF-8 without a line break.
bool fits_global(std::string_view name);

// Two's complement, little-endian, of at most eight bytes.
std::int64_t int_from_bytes(std::string_view bytes);

// Two's complement, little-endian, without the bytes at its end that only repeat the sign.
std::string_view shortest_int_bytes(std::string_view bytes);

}  // namespace ptsd::pickle
