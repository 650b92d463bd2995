// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "operation/regex.h"

namespace ptsd::operation {

// A pattern for names, as users type it: a glob that must match the whole name ("*" any run of
// characters, dots too; "?" one; "[a-z]" a set, "[!a-z]" its opposite), or "re:" and a regular
// expression in the syntax of PCRE2, searched for in the name.
class Pattern {
 public:
  // Throws Error::Usage for a regular expression that does not compile.
  explicit Pattern(std::string text);

  const std::string& text() const { return text_; }
  // Throws Error::Limit if the expression would take too long.
  bool matches(std::string_view name) const;

 private:
  std::string text_;
  std::optional<Regex> regex_;  // nothing: a glob
};

}  // namespace ptsd::operation
