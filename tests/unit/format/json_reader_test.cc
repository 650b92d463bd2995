// SPDX-License-Identifier: Apache-2.0
#include "format/json_reader.h"

#include <array>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "support/refusal.h"

namespace ptsd::format {
namespace {

using namespace std::string_literals;
using test::refused;

const Where kOrigin = {.file = "f", .offset = 8};

template <class Read>
std::string refusal(std::string_view text, const Read& read) {
  return refused([&] {
    JsonReader json(text, kOrigin);
    read(json);
  });
}

std::string refusal_of_value(std::string_view text) {
  return refusal(text, [](JsonReader& json) {
    json.skip(3);
    json.end();
  });
}

TEST_CASE("an object is read key by key, and what is not wanted is skipped") {
  JsonReader json(
      " {\"a\" : [1,\t18446744073709551615 ], \"\": {\"x\": [{}, [], null]},\n"
      "\"b\": \"text\", \"c\": -1.50e+3} ",
      kOrigin);
  json.begin_object();
  REQUIRE(json.key() == "a");
  CHECK(json.offset() == 2);
  json.begin_array();
  REQUIRE(json.item());
  CHECK(json.unsigned_integer() == 1);
  REQUIRE(json.item());
  CHECK(json.unsigned_integer() == 18446744073709551615u);
  CHECK_FALSE(json.item());
  REQUIRE(json.key() == "");
  json.skip(3);
  REQUIRE(json.key() == "b");
  CHECK(json.string() == "text");
  REQUIRE(json.key() == "c");
  CHECK(json.number() == "-1.50e+3");
  CHECK_FALSE(json.key());
  json.end();
}

TEST_CASE("escapes in strings are resolved") {
  JsonReader json(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00\u0000é")", kOrigin);
  CHECK(json.string() == "\"\\/\b\f\n\r\tA\u00e9\u20ac\U0001f600\0\u00e9"s);
}

TEST_CASE("what is no JSON is refused with its offset") {
  const auto cases = std::to_array<std::pair<std::string, std::string_view>>({
      {"",                   "f: +0x8: the JSON text ends too early"                   },
      {"{\"a\":1",           "f: +0xe: the JSON text ends too early"                   },
      {"{\"a\" 1}",          "f: +0xd: no JSON: no ':' behind a key"                   },
      {"{a:1}",              "f: +0x9: no JSON: 'a' where a key should be"             },
      {"{\"a\":1,}",         "f: +0xf: no JSON: '}' where a key should be"             },
      {"{,}",                "f: +0x9: no JSON: ',' where a key should be"             },
      {"[1 2]",              "f: +0xb: no JSON: '2' where ',' or ']' should be"        },
      {"[1,]",               "f: +0xb: no JSON: ']' where a value should be"           },
      {"[1}",                "f: +0xa: no JSON: '}' where ',' or ']' should be"        },
      {"tru",                "f: +0x8: not JSON: expected true"                        },
      {"truex",              "f: +0xc: more text behind the JSON value"                },
      {"1 \0"s,              "f: +0xa: more text behind the JSON value"                },
      {"\xef\xbb\xbf{}",     "f: +0x8: no JSON: '\\xef' where a value should be"       },
      {"'a'",                "f: +0x8: no JSON: ''' where a value should be"           },
      {"NaN",                "f: +0x8: no JSON: 'N' where a value should be"           },
      {"\"a",                "f: +0x8: a string without end"                           },
      {"\"a\\",              "f: +0xa: no JSON: an unknown escape in a string"         },
      {"\"\\x41\"",          "f: +0x9: no JSON: an unknown escape in a string"         },
      {"\"\\u12g4\"",        "f: +0xb: no JSON: \\u without four hexadecimal digits"   },
      {"\"\\u12\"",          "f: +0xb: no JSON: \\u without four hexadecimal digits"   },
      {"\"\n\"",             "f: +0x9: no JSON: the control character 0x0a in a string"},
      {"\"\xff\"",           "f: +0x9: a string that is not UTF-8"                     },
      {"\"\xed\xa0\x80\"",   "f: +0x9: a string that is not UTF-8"                     },
      {"\"\xc0\x80\"",       "f: +0x9: a string that is not UTF-8"                     },
      {"\"\\ud800\"",        "f: +0x9: an escape of half a surrogate pair"             },
      {"\"\\ude00\"",        "f: +0x9: an escape of half a surrogate pair"             },
      {"\"\\ud800\\u0041\"", "f: +0x9: an escape of half a surrogate pair"             },
      {"01",                 "f: +0x8: no JSON: a number that begins with 0"           },
      {"-",                  "f: +0x8: no JSON: a number that lacks digits"            },
      {"1.",                 "f: +0x8: no JSON: a number that lacks digits"            },
      {"1e+",                "f: +0x8: no JSON: a number that lacks digits"            },
      {"+1",                 "f: +0x8: no JSON: '+' where a value should be"           },
      {"[[[[]]]]",           "f: +0xb: JSON more than 3 deep"                          },
  });
  for (const auto& [text, message] : cases) {
    CHECK(refusal_of_value(text) == message);
  }
}

TEST_CASE("numbers that are no integer from 0 to 2^64 - 1 are not taken for one") {
  for (const std::string text : {"-0", "-1", "1.0", "1e3", "1E0", "18446744073709551616", "0.0"}) {
    CHECK(refusal(text, [](JsonReader& json) { json.unsigned_integer(); }) ==
          "f: +0x8: the number '" + text + "', one from 0 to 2^64 - 1 expected");
  }
  const std::string digits(200'000, '9');
  CHECK(refusal(digits, [](JsonReader& json) { json.unsigned_integer(); }).size() < 200);
}

TEST_CASE("a value of another type is named, with the subject") {
  CHECK(refusal("[]", [](JsonReader& json) {
          json.set_subject("'w'");
          json.begin_object();
        }) == "f: +0x8: 'w': an array, an object expected");
  CHECK(refusal("null", [](JsonReader& json) { json.string(); }) ==
        "f: +0x8: null, a string expected");
}

TEST_CASE("text that is nested 200,000 deep is refused, and neither recursed over nor kept") {
  const std::string deep(200'000, '[');
  CHECK(refusal_of_value(deep) == "f: +0xb: JSON more than 3 deep");
  CHECK(refusal(deep, [](JsonReader& json) { json.skip(1'000'000); }) ==
        "f: +0x30d48: the JSON text ends too early");
}

TEST_CASE("what another JSON reader accepts is accepted, and nothing else") {
  const std::string model =
      R"({"a": [1, -0.5e3, true, null, "x\u00e9\n"], "b": {"c": [], "d": {}}, "e": false})";
  constexpr std::string_view kBytes = "{}[]\",:0123-+.eE\\u \tntfx\x80\xc3";
  std::mt19937 random(1);
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text = model;
    for (auto changes = random() % 3; changes-- > 0;) {
      const std::size_t at = random() % text.size();
      if (random() % 2 == 0) {
        text.erase(at, 1 + random() % 3);
      } else {
        text[at] = kBytes[random() % kBytes.size()];
      }
    }
    const bool expected = nlohmann::json::accept(text);
    const bool found = refusal(text, [](JsonReader& json) {
                         json.skip(100);
                         json.end();
                       }).empty();
    CAPTURE(text);
    CHECK(found == expected);
    accepted += found ? 1 : 0;
  }
  CHECK(accepted > 1000);
}

}  // namespace
}  // namespace ptsd::format
