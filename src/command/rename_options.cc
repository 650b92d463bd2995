// SPDX-License-Identifier: Apache-2.0
#include "command/rename_options.h"

#include <utility>

#include "base/error.h"
#include "file/list_input.h"
#include "format/name_map.h"

namespace ptsd::command {

using Text = std::string_view;

void RenameRuleOptions::add(TypedRule::Kind kind, Text option, Text from, Text to) {
  if (open_from_) fail_usage("--from without --to");
  rules_.push_back({kind, std::string(option), std::string(from), std::string(to)});
}

void RenameRuleOptions::add_arrow(TypedRule::Kind kind, Text option, Text text) {
  const auto [from, to] = operation::parse_arrow(option, text);
  add(kind, option, from, to);
}

void RenameRuleOptions::declare_prefixes(Flags& flags) {
  using Kind = TypedRule::Kind;
  flags.each(
      "--from", "A",
      [this](Text text) {
        if (open_from_) fail_usage("--from without --to");
        open_from_ = text;
      },
      "with --to: names that begin with A ...");
  flags.each(
      "--to", "B",
      [this](Text text) {
        if (!open_from_) fail_usage("--to without --from");
        const std::string from = *std::exchange(open_from_, std::nullopt);
        add(Kind::Prefix, "--from", from, text);
      },
      "... begin with B instead");
  flags.each(
      "--strip-prefix", "P", [this](Text text) { add(Kind::Prefix, "--strip-prefix", text); },
      "take P off the names that begin with it");
  flags.each(
      "--add-prefix", "P", [this](Text text) { add(Kind::Prefix, "--add-prefix", "", text); },
      "put P before all names");
  flags.check([this] {
    if (open_from_) fail_usage("--from without --to");
  });
}

void RenameRuleOptions::declare(Flags& flags, std::string heading) {
  using Kind = TypedRule::Kind;
  flags.group(std::move(heading));
  declare_prefixes(flags);
  flags.each(
      "--map", "'OLD=>NEW'", [this](Text text) { add_arrow(Kind::Map, "--map", text); },
      "one whole name");
  flags.each(
      "--map-from", "FILE", [this](Text text) { add(Kind::MapFrom, "--map-from", text); },
      "whole names: a JSON object, or lines OLD => NEW");
  flags.each(
      "--regex", "'PATTERN=>REPLACEMENT'",
      [this](Text text) { add_arrow(Kind::Regex, "--regex", text); },
      "every match; \\1 is a group");
  flags.each(
      "--preset", "unwrap",
      [this](Text text) {
        if (text != "unwrap") fail_usage("--preset: there is only 'unwrap'");
        add(Kind::Unwrap, "--preset unwrap", "");
      },
      "take out what DDP, FSDP and torch.compile put into names");
}

operation::RenameRule RenameRuleOptions::compile(const TypedRule& typed) {
  using Kind = TypedRule::Kind;
  switch (typed.kind) {
    case Kind::Prefix: return operation::PrefixRule{typed.from, typed.to};
    case Kind::Map: return operation::WholeRule{{{typed.from, typed.to}}};
    case Kind::MapFrom:
      return operation::WholeRule{format::read_name_map(*file::open_list(typed.from))};
    case Kind::Regex: return operation::RegexRule{operation::Regex(typed.from), typed.to};
    case Kind::Unwrap: return operation::UnwrapRule{};
  }
  return operation::UnwrapRule{};
}

operation::RenameRules RenameRuleOptions::compile() const {
  std::vector<operation::RenameRules::Given> rules;
  for (const TypedRule& rule : rules_) {
    rules.push_back({rule.option, compile(rule)});
  }
  return operation::RenameRules(std::move(rules));
}

}  // namespace ptsd::command
