// SPDX-License-Identifier: Apache-2.0
#include "base/quote.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace ptsd {
namespace {

using namespace std::literals;

TEST_CASE("plain text is left as it is") {
  CHECK(escape("layer.0.weight") == "layer.0.weight");
  CHECK(escape("größe/重み 😀") == "größe/重み 😀");
}

TEST_CASE("control characters never come out raw") {
  CHECK(escape("a\x1b[31m\n\r\t\0b\x7f"s) == "a\\x1b[31m\\x0a\\x0d\\x09\\x00b\\x7f");
  CHECK(escape("\xc2\x9b") == "\\u{009b}");
}

TEST_CASE("bidirectional and zero-width characters are spelled out") {
  CHECK(escape("a\u202eb\u200bc\u2028d\ufeff") == "a\\u{202e}b\\u{200b}c\\u{2028}d\\u{feff}");
}

TEST_CASE("a backslash is doubled so that no two names look the same") {
  CHECK(escape("a\\x1b") == "a\\\\x1b");
}

TEST_CASE("what repr() has escaped is not escaped again, and what it lets through is") {
  CHECK(escape_repr("b'\\x00\\''") == "b'\\x00\\''");
  CHECK(escape_repr("'a\\\\\u202e'") == "'a\\\\\\u{202e}'");
}

TEST_CASE("a spelling leads back to the text, and what is no spelling to nothing") {
  for (const std::string_view text :
       {"a\\b\n\xc2\x9b\u202e\xff"sv, "\xed\xa0\x80"sv, "größe"sv, "\0"sv, ""sv}) {
    CHECK(unescape(escape(text)) == text);
  }
  for (const std::string_view text : {"\\", "a\\", "\\x", "\\x4", "\\x41", "\\xzz", "\\n", "\\u{",
                                      "\\u{202e", "\\u{202E}", "\\u{}", "\\u{ffffff}", "\n"}) {
    CHECK_FALSE(unescape(text));
  }
}

TEST_CASE("bytes that are not UTF-8 are spelled out one by one") {
  CHECK(escape("\xff\xc3(") == "\\xff\\xc3(");
  CHECK(escape("\xc0\xaf") == "\\xc0\\xaf");
  CHECK(escape("\xe2\x82") == "\\xe2\\x82");
  CHECK(escape("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80");
}

TEST_CASE("a lone surrogate is kept apart from UTF-8") {
  CHECK(escape("\xed\xa0\x80") == "\\u{d800}");
  CHECK(!is_utf8("\xed\xa0\x80"));
  CHECK(is_utf8("größe"));
}

TEST_CASE("long text is cut at a character with a mark") {
  CHECK(abbreviate("abcdef", 4) == "abcd…");
  CHECK(abbreviate("abcé", 4) == "abc…");
  CHECK(quote(std::string(100000, 'x')).size() < 300);
}

TEST_CASE("a word for a shell is spelled out once, and only where it must be") {
  CHECK(shell_word("layer.0") == "layer.0");
  CHECK(shell_word("") == "''");
  CHECK(shell_word("my $model*.") == "'my $model*.'");
  CHECK(shell_word("größe") == "'größe'");
  CHECK(shell_word("é'b") == "$'é\\'b'");
  CHECK(shell_word("a\\b") == "$'a\\\\b'");
  CHECK(shell_word("a\nb\u202e\xff") == "$'a\\x0ab\\xe2\\x80\\xae\\xff'");
}

TEST_CASE("of many texts the first are named, and the rest are counted") {
  const std::vector<std::string> texts = {"a", "b", "c", "d"};
  CHECK(quote_some({texts.data(), 3}) == "'a', 'b', 'c'");
  CHECK(quote_some(texts) == "'a', 'b', 'c' and 1 more");
  CHECK(quote_some(texts, 1) == "'a' and 3 more");
}

}  // namespace
}  // namespace ptsd
