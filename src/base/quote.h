// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// Text from input, made safe for a terminal, a log and a line-oriented tool. Control characters
// (C0, DEL, C1), line separators, bidirectional controls and zero-width characters become \xNN or
// \u{NNNN}; a byte that is not UTF-8 becomes \xNN; a backslash becomes \\, so that no two names
// look the same.

namespace ptsd {

std::string escape(std::string_view text);
void append_escaped(std::string& out, std::string_view text);

// The same of text in which backslashes and quotes are escaped already, such as Python's repr():
// backslashes stay single.
std::string escape_repr(std::string_view repr);

// The text that escape() gives this spelling; nothing where it gives it to none.
std::optional<std::string> unescape(std::string_view spelling);

// Whether escape() would return the text as it is.
bool is_plain(std::string_view text);

bool is_utf8(std::string_view text);

// At most `limit` bytes of the text, cut at a character, with "…" for the rest.
std::string abbreviate(std::string_view text, std::size_t limit = 240);

// For messages: escaped, bounded, in single quotes.
std::string quote(std::string_view text);

// A word for a shell, which gives back the text to the byte: as it is, in quotes, or as $'...',
// which bash and zsh read, where something has to be spelled out.
std::string shell_word(std::string_view text);

// The first of several, and how many there are besides: "'a', 'b' and 3 more".
std::string quote_some(std::span<const std::string> texts, std::size_t most = 3);

}  // namespace ptsd
