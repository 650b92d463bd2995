// SPDX-License-Identifier: Apache-2.0
#include "pickle/literals.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include <doctest/doctest.h>

namespace ptsd::pickle {
namespace {

using namespace std::string_literals;

TEST_CASE("a decimal integer is digits with at most a minus sign before them") {
  CHECK(is_decimal("0"));
  CHECK(is_decimal("-1"));
  CHECK(is_decimal("120"));
  for (const auto* text : {"", "-", "+1", "00", "007", "-01", "0x10", "1_000", " 1", "1 ", "1\r",
                           "1L", "1.0", "٣", "--1"}) {
    CAPTURE(text);
    CHECK(!is_decimal(text));
  }
}

TEST_CASE("minus zero is refused, for one of Python's readers takes it for False") {
  CHECK(!is_decimal("-0"));
}

TEST_CASE("an integer is parsed when it fits 64 bits") {
  CHECK(parse_int("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  CHECK(parse_int("-9223372036854775808") == std::numeric_limits<std::int64_t>::min());
  CHECK(!parse_int("9223372036854775808"));
  CHECK(!parse_int("-9223372036854775809"));
}

TEST_CASE("a memo index is not negative and fits a signed 64-bit number") {
  CHECK(parse_memo_index("0") == 0);
  CHECK(parse_memo_index("9223372036854775807") == 9223372036854775807);
  for (const std::string& text :
       {"9223372036854775808"s, "-1"s, "0x10"s, ""s, std::string(400, '9')}) {
    CAPTURE(text);
    CHECK(!parse_memo_index(text));
  }
}

TEST_CASE("a float is what repr() writes, the extremes included") {
  CHECK(parse_float("1.5") == 1.5);
  CHECK(parse_float("-1e+100") == -1e100);
  CHECK(parse_float("+2") == 2.0);
  CHECK(parse_float("5e-324") == std::numeric_limits<double>::denorm_min());
  CHECK(parse_float("2.225073858507201e-308") == 2.225073858507201e-308);
  CHECK(parse_float("1.7976931348623157e+308") == std::numeric_limits<double>::max());
  CHECK(parse_float("-inf") == -std::numeric_limits<double>::infinity());
  CHECK(std::isnan(parse_float("nan").value()));
  CHECK(std::signbit(parse_float("-0.0").value()));
}

TEST_CASE("a float that a double cannot hold is refused, as CPython's C reader does") {
  CHECK(!parse_float("1e999"));
  CHECK(!parse_float("-1e999"));
  CHECK(!parse_float("1" + std::string(400, '0')));
}

TEST_CASE("a float in a form that no pickler writes is refused") {
  for (const auto* text : {"", "+", "+-5", "-+5", "++5", " 1", "1 ", "0x10", "1_0.0", "1,5",
                           "nan(1)", "1e", "infinit", "1.5\r"}) {
    CAPTURE(text);
    CHECK(!parse_float(text));
  }
}

TEST_CASE("a quoted string loses its quotes and its escapes") {
  CHECK(unescape_string("''") == "");
  CHECK(unescape_string("'abc'") == "abc");
  CHECK(unescape_string("\"it's\"") == "it's");
  CHECK(unescape_string(R"('\\\'\"\a\b\f\n\r\t\v')") == "\\'\"\a\b\f\n\r\t\v");
  CHECK(unescape_string(R"('\x00\xfF')") == "\x00\xff"s);
  CHECK(unescape_string(R"('\0\12\1234\400')") == "\0\n\x53"s + "4\0"s);
  CHECK(unescape_string("'\xc3\xa9'") == "\xc3\xa9");
}

TEST_CASE("an escape that Python does not know keeps its backslash") {
  CHECK(unescape_string(R"('\q\8\u0041')") == R"(\q\8\u0041)");
}

TEST_CASE("a string without its quotes or with a broken escape is refused") {
  for (const auto* text : {"", "'", "abc", "'abc", "abc'", "'abc\"", "\"", R"('\x1')", R"('\xg1')",
                           R"('\x')", R"('abc\')"}) {
    CAPTURE(text);
    CHECK(!unescape_string(text));
  }
}

TEST_CASE("raw-unicode-escape is Latin-1 with \\u and \\U escapes") {
  CHECK(unescape_unicode("") == "");
  CHECK(unescape_unicode("a\xe9") == "aé");
  CHECK(unescape_unicode("\\u20ac\\U0001f600") == "€😀");
  CHECK(unescape_unicode("\\n\\") == "\\n\\");
  CHECK(unescape_unicode("\\u005cu0041") == "\\u0041");
  CHECK(unescape_unicode("\\ud800") == "\xed\xa0\x80");
}

TEST_CASE("a backslash behind a backslash begins no escape") {
  CHECK(unescape_unicode("\\\\u0041") == "\\\\u0041");
  CHECK(unescape_unicode("\\\\\\u0041") == "\\\\A");
}

TEST_CASE("a broken or impossible unicode escape is refused") {
  for (const auto* text : {"\\u", "\\u123", "\\u123g", "\\U0001f60", "\\U00110000", "\\u-123"}) {
    CAPTURE(text);
    CHECK(!unescape_unicode(text));
  }
}

TEST_CASE("bytes are a little-endian integer in two's complement") {
  CHECK(int_from_bytes("") == 0);
  CHECK(int_from_bytes("\xff") == -1);
  CHECK(int_from_bytes("\xff\x00"s) == 255);
  CHECK(int_from_bytes("\x00\x80"s) == -32768);
  CHECK(int_from_bytes("\x00\x00\x00\x80\x00"s) == 2147483648);
  CHECK(int_from_bytes("\x00\x00\x00\x00\x00\x00\x00\x80"s) ==
        std::numeric_limits<std::int64_t>::min());
}

TEST_CASE("bytes that only repeat the sign are no part of an integer") {
  CHECK(shortest_int_bytes("").empty());
  CHECK(shortest_int_bytes(std::string(100, '\0')).empty());
  CHECK(shortest_int_bytes(std::string(100, '\xff')) == "\xff");
  CHECK(shortest_int_bytes("\x7f\x00\x00"s) == "\x7f");
  CHECK(shortest_int_bytes("\x80\x00\x00"s) == "\x80\x00"s);
  CHECK(shortest_int_bytes("\x80\xff") == "\x80");
}

TEST_CASE("GLOBAL holds names that are UTF-8 without a line break") {
  CHECK(fits_global("torch._utils"));
  CHECK(fits_global("\xc3\xa9\r"));
  CHECK(!fits_global("a\n"));
  CHECK(!fits_global("\xff"));
  CHECK(!fits_global("\xed\xa0\x80"));
}

}  // namespace
}  // namespace ptsd::pickle
