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

// [-]digits without leading zeros.
bool is_decimal(std::string_view text);

std::optional<std::int64_t> parse_int(std::string_view text);  // nothing too when over 64 bits
std::optional<std::uint64_t> parse_memo_index(std::string_view text);
std::optional<double> parse_float(std::string_view text);

// 'text' or "text" with Python 2's backslash escapes: the bytes.
std::optional<std::string> unescape_string(std::string_view quoted);

// raw-unicode-escape: \uXXXX and \UXXXXXXXX, every other byte a Latin-1 character; as WTF-8.
std::optional<std::string> unescape_unicode(std::string_view raw);

// Two's complement, little-endian, of at most eight bytes.
std::int64_t int_from_bytes(std::string_view bytes);

}  // namespace ptsd::pickle
