// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace ptsd::format {

// Reads JSON (RFC 8259) value by value, where the reader knows what has to come: nothing is built,
// nothing recurses, numbers are never rounded. What is no JSON throws Error::Malformed with its
// offset: text that is not UTF-8, an escape of half a surrogate pair, a number like 01, anything
// behind the value.
//
//   json.begin_object();
//   while (const auto key = json.key()) { ... exactly one value ... }
class JsonReader {
 public:
  enum class Type { Object, Array, String, Number, True, False, Null };

  // Borrows both. `origin` names the input in errors; its offset (0 if unset) is where the text
  // begins.
  JsonReader(std::string_view text, const Where& origin) : text_(text), origin_(&origin) {}

  // Of the value that comes next.
  Type peek();
  void begin_object();
  // The next key, unescaped; nothing at the end of the object.
  std::optional<std::string> key();
  void begin_array();
  // Whether a value follows; false at the end of the array.
  bool item();
  std::string string();
  // Digits only, and at most 2^64 - 1: 1.0, 1e3 and -0 are something else.
  std::uint64_t unsigned_integer();
  // The text of a number as it stands.
  std::string_view number();
  // Any value, with at most `depth` containers in one another: its text as it stands.
  std::string_view skip(std::uint64_t depth);
  // Only white space may be left.
  void end();

  // What is being read, in front of every message: "'layer.weight'"; empty: nothing.
  void set_subject(std::string subject) { subject_ = std::move(subject); }
  // Where the last key or value begins, in bytes of the text.
  std::size_t offset() const { return token_; }
  [[noreturn]] void fail(std::string message) const;
  [[noreturn]] void fail_at(std::size_t offset, Error::Kind kind, std::string message) const;

 private:
  char next();
  void expect(Type type);
  std::string quoted();
  void append_escape(std::string& out);
  void append_characters(std::string& out);
  char32_t hex4();
  std::size_t digits();
  void literal(std::string_view word);
  void open(Type type);
  bool advance(char close);
  [[noreturn]] void fail_here(std::string message) const;

  std::string_view text_;
  const Where* origin_;
  std::string subject_;
  std::size_t position_ = 0;
  std::size_t token_ = 0;
  bool first_ = false;  // nothing has been read of the innermost container
};

}  // namespace ptsd::format
