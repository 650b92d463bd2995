// SPDX-License-Identifier: Apache-2.0
#include "command/rename.h"

#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "command/edit.h"
#include "command/rename_options.h"
#include "operation/rename.h"

namespace ptsd::command {
namespace {

struct Options {
  std::string file;
  RenameRuleOptions rules;
  bool allow_unmatched = false;
  StateDictOptions state_dict;
  OutputOptions output;
  CommonOptions common;
};

Exit run(const Options& options) {
  operation::RenameRules rules = options.rules.compile();
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
  return save(draft, {&opened}, {options.output, options.state_dict, options.common},
              std::move(report));
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
      options->rules.declare(flags, "Rules, applied in the order given");
      flags.flag("--allow-unmatched", options->allow_unmatched, "let a rule match nothing");
      flags.check([options] {
        if (!options->rules.empty()) return;
        fail_usage("no rule: --from A --to B, --strip-prefix P, --map 'OLD=>NEW'");
      });
      options->state_dict.declare(flags);
      options->output.declare(flags);
      options->common.declare(flags);
      return [options] { return run(*options); };
    },
};

}  // namespace ptsd::command
