// SPDX-License-Identifier: Apache-2.0
#include "command/rename.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "command/edit.h"
#include "file/input_file.h"
#include "format/name_map.h"
#include "operation/rename.h"

namespace ptsd::command {
namespace {

// A rule as it was typed. Files are read and expressions compiled when the command runs.
struct TypedRule {
  enum class Kind { Prefix, Map, MapFrom, Regex, Unwrap };

  Kind kind;
  std::string option;
  std::string from;
  std::string to;
};

struct Options {
  std::string file;
  std::vector<TypedRule> rules;
  std::optional<std::string> open_from;  // a --from that waits for its --to
  bool allow_unmatched = false;
  StateDictOptions state_dict;
  OutputOptions output;
  CommonOptions common;

  void declare_rules(Flags& flags);

 private:
  void add(TypedRule::Kind kind, std::string_view option, std::string_view from,
           std::string_view to = "") {
    if (open_from) fail_usage("--from without --to");
    rules.push_back({kind, std::string(option), std::string(from), std::string(to)});
  }
  void add_arrow(TypedRule::Kind kind, std::string_view option, std::string_view text) {
    const auto [from, to] = operation::parse_arrow(option, text);
    add(kind, option, from, to);
  }
};

void Options::declare_rules(Flags& flags) {
  using Kind = TypedRule::Kind;
  using Text = std::string_view;
  flags.group("Rules, applied in the order given");
  flags.each(
      "--from", "A",
      [this](Text text) {
        if (open_from) fail_usage("--from without --to");
        open_from = text;
      },
      "with --to: names that begin with A ...");
  flags.each(
      "--to", "B",
      [this](Text text) {
        if (!open_from) fail_usage("--to without --from");
        const std::string from = *std::exchange(open_from, std::nullopt);
        add(Kind::Prefix, "--from", from, text);
      },
      "... begin with B instead");
  flags.each(
      "--strip-prefix", "P", [this](Text text) { add(Kind::Prefix, "--strip-prefix", text); },
      "take P off the names that begin with it");
  flags.each(
      "--add-prefix", "P", [this](Text text) { add(Kind::Prefix, "--add-prefix", "", text); },
      "put P before all names");
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
  flags.flag("--allow-unmatched", allow_unmatched, "let a rule match nothing");
  flags.check([this] {
    if (open_from) fail_usage("--from without --to");
    if (rules.empty()) fail_usage("no rule: --from A --to B, --strip-prefix P, --map 'OLD=>NEW'");
  });
}

operation::RenameRule compile(const TypedRule& typed) {
  switch (typed.kind) {
    case TypedRule::Kind::Prefix: return operation::PrefixRule{typed.from, typed.to};
    case TypedRule::Kind::Map: return operation::WholeRule{{{typed.from, typed.to}}};
    case TypedRule::Kind::MapFrom:
      return operation::WholeRule{format::read_name_map(file::InputFile(typed.from))};
    case TypedRule::Kind::Regex:
      return operation::RegexRule{operation::Regex(typed.from), typed.to};
    case TypedRule::Kind::Unwrap: return operation::UnwrapRule{};
  }
  return operation::UnwrapRule{};
}

operation::RenameRules compile(const std::vector<TypedRule>& typed) {
  std::vector<operation::RenameRules::Given> rules;
  for (const TypedRule& rule : typed) {
    rules.push_back({rule.option, compile(rule)});
  }
  return operation::RenameRules(std::move(rules));
}

Exit run(const Options& options) {
  operation::RenameRules rules = compile(options.rules);
  format::Opened opened(format::parse_address(options.file), options.common.limits);
  checkpoint::Draft draft = draft_of(opened);
  const std::vector<checkpoint::StateDict> chosen =
      choose_state_dicts(opened.checkpoint(), opened.root(), options.state_dict.in);
  const bool listed = options.output.dry_run || options.common.json;
  const operation::Renamed done = rename(draft, chosen, rules, {options.allow_unmatched, listed});
  report::EditReport report = {
      .command = "rename",
      .changed = draft.pickle_changed,
      .what = fmt::format("renamed {} of {} names{}", done.renamed, done.names, describe(chosen)),
      .counts = {{"names", done.names},
                 {"renamed", done.renamed},
                 {"modules", done.modules},
                 {"param_names", done.param_names}},
      .state_dicts = paths_of(chosen),
  };
  for (const auto& [from, to] : done.changes) {
    report.changes.push_back({from, to});
  }
  return save(draft, {&opened}, options.output, {}, options.common, std::move(report));
}

}  // namespace

const Command rename_command = {
    .name = "rename",
    .summary = "rename the entries of a state dict",
    .examples =
        "# strip what DistributedDataParallel put before every name\n"
        "ptsd rename ddp.pt --strip-prefix module. -o model.pt\n"
        "# one prefix for another; look first, then do it\n"
        "ptsd rename model.pt --from encoder. --to backbone. --dry-run\n"
        "ptsd rename model.pt --from encoder. --to backbone. -o renamed.pt\n"
        "# LayerNorm's old names\n"
        "ptsd rename bert.pt --regex '\\.gamma$=>.weight' --regex '\\.beta$=>.bias' -o new.pt\n",
    .declare = [](Flags& flags) -> Action {
      auto options = std::make_shared<Options>();
      flags.file("IN", options->file, "the checkpoint, or FILE#PATH for a part of it");
      options->declare_rules(flags);
      options->state_dict.declare(flags);
      options->output.declare(flags);
      options->common.declare(flags);
      return [options] { return run(*options); };
    },
};

}  // namespace ptsd::command
