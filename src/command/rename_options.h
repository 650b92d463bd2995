// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "command/flags.h"
#include "operation/rename_rules.h"

namespace ptsd::command {

// The rules of `rename`, for every command that takes them, in the order in which they were typed.
// Files are read and expressions compiled when the command runs.
class RenameRuleOptions {
 public:
  // `heading` stands above them in --help. --allow-unmatched is the command's own: a selection may
  // bring it as well.
  void declare(Flags& flags, std::string heading);

  bool empty() const { return rules_.empty(); }
  // Throws what reading a --map-from does, and Error::Usage for a --regex that is none.
  operation::RenameRules compile() const;

 private:
  struct TypedRule {
    enum class Kind { Prefix, Map, MapFrom, Regex, Unwrap };

    Kind kind;
    std::string option;
    std::string from;
    std::string to;
  };

  static operation::RenameRule compile(const TypedRule& typed);

  void declare_prefixes(Flags& flags);
  void add(TypedRule::Kind kind, std::string_view option, std::string_view from,
           std::string_view to = "");
  void add_arrow(TypedRule::Kind kind, std::string_view option, std::string_view text);

  std::vector<TypedRule> rules_;
  std::optional<std::string> open_from_;  // a --from that waits for its --to
};

}  // namespace ptsd::command
