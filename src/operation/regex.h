// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace ptsd::operation {

// A regular expression in the syntax of PCRE2, searched for in a name; "^" and "$" anchor it.
class Regex {
 public:
  // Throws Error::Usage for one that does not compile.
  explicit Regex(std::string source);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  const std::string& source() const { return source_; }
  // Throws Error::Limit if it would take too long; so does replace().
  bool matches(std::string_view text) const;
  // Every match replaced, as Python's re.sub does: "\1" and "\g<name>" are groups, "\\" is a
  // backslash. Nothing if there is no match. Throws Error::Usage for a group that does not exist.
  std::optional<std::string> replace(std::string_view text, std::string_view replacement) const;

 private:
  struct Compiled;

  std::string source_;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace ptsd::operation
