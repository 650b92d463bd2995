// SPDX-License-Identifier: Apache-2.0
#include "format/json_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "base/utf8.h"

namespace ptsd::format {

namespace {

struct TypeName {
  JsonReader::Type type;
  std::string_view name;
};

constexpr auto kTypeNames = std::to_array<TypeName>({
    {JsonReader::Type::Object, "an object"},
    {JsonReader::Type::Array,  "an array" },
    {JsonReader::Type::String, "a string" },
    {JsonReader::Type::Number, "a number" },
    {JsonReader::Type::True,   "true"     },
    {JsonReader::Type::False,  "false"    },
    {JsonReader::Type::Null,   "null"     },
});

std::string_view name_of(JsonReader::Type type) {
  return kTypeNames[static_cast<std::size_t>(type)].name;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Stands for itself in a string.
bool is_plain(char c) {
  return c >= ' ' && c < '\x7f' && c != '"' && c != '\\';
}

// What an escape of one letter stands for; 0: none.
char simple_escape(char letter) {
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const std::size_t at = kLetters.find(letter);
  return at == std::string_view::npos ? '\0' : kMeanings[at];
}

}  // namespace

void JsonReader::fail_at(std::size_t offset, Error::Kind kind, std::string message) const {
  Where where = *origin_;
  where.offset = origin_->offset.value_or(0) + offset;
  throw Error(kind, std::move(where), subject_.empty() ? message : subject_ + ": " + message);
}

void JsonReader::fail(std::string message) const {
  fail_at(token_, Error::Kind::Malformed, std::move(message));
}

void JsonReader::fail_here(std::string message) const {
  fail_at(position_, Error::Kind::Malformed, std::move(message));
}

// The next character that is no white space, which stays where it is.
char JsonReader::next() {
  position_ = std::min(text_.find_first_not_of(" \t\r\n", position_), text_.size());
  if (position_ == text_.size()) fail_here("the JSON text ends too early");
  return text_[position_];
}

JsonReader::Type JsonReader::peek() {
  const char c = next();
  token_ = position_;
  if (c == '{') return Type::Object;
  if (c == '[') return Type::Array;
  if (c == '"') return Type::String;
  if (c == '-' || is_digit(c)) return Type::Number;
  if (c == 't') return Type::True;
  if (c == 'f') return Type::False;
  if (c == 'n') return Type::Null;
  fail_here(fmt::format("no JSON: {} where a value should be", quote({&c, 1})));
}

void JsonReader::expect(Type type) {
  const Type found = peek();
  if (found != type) fail(fmt::format("{}, {} expected", name_of(found), name_of(type)));
}

void JsonReader::open(Type type) {
  expect(type);
  ++position_;
  first_ = true;
}

void JsonReader::begin_object() {
  open(Type::Object);
}

void JsonReader::begin_array() {
  open(Type::Array);
}

// Past the comma to the next part, or past the end of the container, which is a value that has
// been read then.
bool JsonReader::advance(char close) {
  const char c = next();
  if (c == close) {
    ++position_;
    first_ = false;
    return false;
  }
  if (!first_ && c != ',') {
    fail_here(fmt::format("no JSON: {} where ',' or '{}' should be", quote({&c, 1}), close));
  }
  if (!first_) ++position_;
  return true;
}

std::optional<std::string> JsonReader::key() {
  if (!advance('}')) return std::nullopt;
  const char c = next();
  token_ = position_;
  if (c != '"') fail_here(fmt::format("no JSON: {} where a key should be", quote({&c, 1})));
  std::string text = quoted();
  if (next() != ':') fail_here("no JSON: no ':' behind a key");
  ++position_;
  first_ = false;
  return text;
}

bool JsonReader::item() {
  if (!advance(']')) return false;
  first_ = false;
  return true;
}

std::string JsonReader::string() {
  expect(Type::String);
  return quoted();
}

std::string JsonReader::quoted() {
  std::string out;
  ++position_;
  while (true) {
    if (position_ == text_.size()) fail_at(token_, Error::Kind::Malformed, "a string without end");
    const char c = text_[position_];
    if (c == '"') break;
    if (c == '\\') {
      append_escape(out);
    } else {
      append_characters(out);
    }
  }
  ++position_;
  return out;
}

void JsonReader::append_characters(std::string& out) {
  const std::size_t start = position_;
  while (position_ < text_.size() && is_plain(text_[position_])) {
    ++position_;
  }
  if (position_ > start) {
    out += text_.substr(start, position_ - start);
    return;
  }
  const CodePoint point = next_code_point(text_.substr(position_));
  if (!point.valid) fail_here("a string that is not UTF-8");
  if (point.value < 0x20) {
    fail_here(fmt::format("no JSON: the control character 0x{:02x} in a string",
                          static_cast<unsigned>(point.value)));
  }
  out += text_.substr(position_, point.size);
  position_ += point.size;
}

char32_t JsonReader::hex4() {
  const std::string_view hex = text_.substr(position_, 4);
  unsigned value = 0;
  const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
  if (hex.size() < 4 || error != std::errc() || end != hex.data() + 4) {
    fail_here("no JSON: \\u without four hexadecimal digits");
  }
  position_ += 4;
  return value;
}

void JsonReader::append_escape(std::string& out) {
  const std::size_t start = position_;
  const char letter = position_ + 1 < text_.size() ? text_[position_ + 1] : '\0';
  if (letter != 'u') {
    const char meaning = simple_escape(letter);
    if (meaning == '\0') fail_here("no JSON: an unknown escape in a string");
    out += meaning;
    position_ += 2;
    return;
  }
  position_ += 2;
  char32_t value = hex4();
  if (value >= 0xD800 && value < 0xDC00 && text_.substr(position_, 2) == "\\u") {
    position_ += 2;
    const char32_t low = hex4();
    if (low < 0xDC00 || low > 0xDFFF) {
      fail_at(start, Error::Kind::Malformed, "an escape of half a surrogate pair");
    }
    value = 0x10000 + ((value - 0xD800) << 10) + (low - 0xDC00);
  } else if (value >= 0xD800 && value <= 0xDFFF) {
    fail_at(start, Error::Kind::Malformed, "an escape of half a surrogate pair");
  }
  append_utf8(out, value);
}

std::size_t JsonReader::digits() {
  const std::size_t start = position_;
  while (position_ < text_.size() && is_digit(text_[position_])) {
    ++position_;
  }
  return position_ - start;
}

std::string_view JsonReader::number() {
  expect(Type::Number);
  const auto take = [&](std::string_view any) {
    const bool is_there =
        position_ < text_.size() && any.find(text_[position_]) != std::string_view::npos;
    if (is_there) ++position_;
    return is_there;
  };
  const auto need_digits = [&] {
    if (digits() == 0) fail("no JSON: a number that lacks digits");
  };
  take("-");
  const bool zero = position_ < text_.size() && text_[position_] == '0';
  const std::size_t whole = digits();
  if (whole == 0) fail("no JSON: a number that lacks digits");
  if (zero && whole > 1) fail("no JSON: a number that begins with 0");
  if (take(".")) need_digits();
  if (take("eE")) {
    take("+-");
    need_digits();
  }
  return text_.substr(token_, position_ - token_);
}

std::uint64_t JsonReader::unsigned_integer() {
  const std::string_view text = number();
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    fail("the number " + quote(abbreviate(text, 40)) + ", one from 0 to 2^64 - 1 expected");
  }
  return value;
}

void JsonReader::literal(std::string_view word) {
  if (text_.substr(position_, word.size()) != word) {
    fail(fmt::format("not JSON: expected {}", word));
  }
  position_ += word.size();
}

std::string_view JsonReader::skip(std::uint64_t depth) {
  next();
  const std::size_t start = position_;
  std::vector<bool> around;  // the containers around; true: an object
  do {
    if (!around.empty()) {
      if (!(around.back() ? key().has_value() : item())) {
        around.pop_back();
        continue;
      }
    }
    const Type type = peek();
    if (type == Type::Object || type == Type::Array) {
      if (around.size() == depth) {
        fail_at(token_, Error::Kind::Limit, fmt::format("JSON more than {} deep", depth));
      }
      around.push_back(type == Type::Object);
      ++position_;
      first_ = true;
    } else if (type == Type::String) {
      quoted();
    } else if (type == Type::Number) {
      number();
    } else {
      literal(name_of(type));
    }
  } while (!around.empty());
  return text_.substr(start, position_ - start);
}

void JsonReader::end() {
  const std::size_t rest = text_.find_first_not_of(" \t\r\n", position_);
  if (rest == std::string_view::npos) return;
  fail_at(rest, Error::Kind::Malformed, "more text behind the JSON value");
}

}  // namespace ptsd::format
