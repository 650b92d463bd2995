// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "operation/regex.h"

// How names become other names. Rules go one after the other, each over the result of the one
// before. They know names alone: of a state dict, the names of its entries and the paths of its
// modules (the keys of its _metadata), which follow the names.

namespace ptsd::operation {

// A beginning of the name becomes another. Plain text: "encoder" is also the beginning of
// "encoder_norm".
struct PrefixRule {
  std::string from;  // empty: every name gets the prefix
  std::string to;
};

// Whole names.
struct WholeRule {
  std::map<std::string, std::string, std::less<>> names;
};

// Every match of the expression.
struct RegexRule {
  Regex from;
  std::string to;
};

// The segments that wrappers put into names ("module.", "_orig_mod.", ...), wherever they stand.
struct UnwrapRule {};

using RenameRule = std::variant<PrefixRule, WholeRule, RegexRule, UnwrapRule>;

// "OLD=>NEW", split at the first "=>". Throws Error::Usage in the name of `option`.
std::pair<std::string, std::string> parse_arrow(std::string_view option, std::string_view text);

class RenameRules {
 public:
  struct Given {
    std::string option;  // what errors call the rule: "--from encoder."
    RenameRule rule;
  };

  explicit RenameRules(std::vector<Given> rules);

  // `names` and `modules` are replaced by what they are called afterwards; the order stays.
  void apply(std::vector<std::string>& names, std::vector<std::string>& modules);

  // Throws Error::Usage for a rule that matched nothing in all calls of apply(), naming the rule
  // and the nearest that would have.
  void require_matches() const;

 private:
  void apply(std::size_t number, std::vector<std::string>& names,
             std::vector<std::string>& modules);
  [[noreturn]] void fail(std::size_t number, const std::string& text) const;

  std::vector<Given> rules_;
  std::vector<std::map<std::string, bool, std::less<>>> met_;  // by rule; of a WholeRule by name
  std::vector<std::vector<std::string>> offered_;              // names that an unmatched rule saw
};

}  // namespace ptsd::operation
