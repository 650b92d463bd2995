// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace ptsd::operation {

// A pattern for names, as users type it: a glob that must match the whole name ("*" any run of
// characters, dots too; "?" one; "[a-z]" a set, "[!a-z]" its opposite), or "re:" and a regular
// expression in the syntax of PCRE2, searched for in the name.
class Pattern {
 public:
  // Throws Error::Usage for a regular expression that does not compile.
  explicit Pattern(std::string text);
  ~Pattern();
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;

  const std::string& text() const { return text_; }
  // Throws Error::Limit if the expression would take too long.
  bool matches(std::string_view name) const;

 private:
  struct Regex;

  std::string text_;
  std::unique_ptr<Regex> regex_;  // null: a glob
};

}  // namespace ptsd::operation
