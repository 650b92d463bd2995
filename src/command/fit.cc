// SPDX-License-Identifier: Apache-2.0
#include "command/fit.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/quote.h"
#include "checkpoint/mapping.h"
#include "command/edit.h"
#include "command/options.h"
#include "command/rename_options.h"
#include "command/warn.h"
#include "file/output_file.h"
#include "format/name_map.h"
#include "format/open.h"
#include "operation/fit.h"
#include "operation/rename.h"
#include "operation/suggest.h"
#include "report/fit.h"
#include "report/numbers.h"

namespace ptsd::command {
namespace {

using checkpoint::StateDict;

struct Options {
  std::string checkpoint;
  std::string reference;
  bool strict = true;
  std::optional<std::string> in;
  std::optional<std::string> emit_map;
  bool force = false;
  RenameRuleOptions rules;
  bool allow_unmatched = false;
  CommonOptions common;
};

using Changes = std::vector<std::pair<std::string, std::string>>;

std::vector<operation::StateEntry> entries_of(const format::Opened& opened,
                                              const StateDict& state_dict) {
  return operation::state_entries(opened.checkpoint(), state_dict);
}

// Without any entry, the root is the state dict of a model without parameters.
StateDict choose(format::Opened& opened, const std::optional<std::string>& in) {
  if (opened.is_module()) opened.enter_module();
  const auto entries = pairs_of(opened.checkpoint().names(), opened.root());
  if (!in && entries && entries->empty()) return {"", opened.root()};
  std::vector<std::string> wanted;
  if (in) wanted.push_back(*in);
  return choose_state_dicts(opened.checkpoint(), opened.root(), wanted).front();
}

// All-or-nothing, as every file that is written.
void emit(const Options& options, const Changes& changes,
          const std::vector<const format::Opened*>& inputs, std::vector<Warning>& warnings) {
  const std::string text = format::write_name_map(changes);
  std::vector<const file::InputFile*> files;
  for (const format::Opened* input : inputs) {
    const std::vector<const file::InputFile*> more = input->files();
    files.insert(files.end(), more.begin(), more.end());
  }
  if (is_among(files, *options.emit_map)) fail_usage("is an input", *options.emit_map);
  file::OutputFile output({.path = *options.emit_map, .overwrite = options.force});
  output.write(as_bytes(text));
  const std::vector<Warning> found = output.commit(files);
  warnings.insert(warnings.end(), found.begin(), found.end());
  if (options.common.quiet || options.common.json) return;
  const std::string line = fmt::format("ptsd: {}: {} written\n", escape(*options.emit_map),
                                       report::counted(changes.size(), "name"));
  std::fputs(line.c_str(), stderr);
}

std::vector<std::string> names_of(const std::vector<operation::StateEntry>& entries) {
  std::vector<std::string> names;
  for (const operation::StateEntry& entry : entries) {
    names.emplace_back(entry.name);
  }
  return names;
}

Changes changes_between(const std::vector<std::string>& before,
                        const std::vector<std::string>& after) {
  Changes changes;
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i] != after[i]) changes.emplace_back(before[i], after[i]);
  }
  return changes;
}

// Nothing is renamed where nothing is missing, or nothing is left over.
operation::Suggestions suggestions(const operation::Fit& fit, const format::Opened& checkpoint,
                                   const StateDict& given, const format::Opened& reference,
                                   const StateDict& wanted) {
  if (fit.missing.empty() || fit.unexpected.empty()) {
    return {.rules = {}, .rivals = {}, .names = names_of(entries_of(checkpoint, given))};
  }
  return suggest(entries_of(checkpoint, given), entries_of(reference, wanted));
}

// What was taken for granted, and what nobody would guess.
void tell(const report::FitReport& report, const CommonOptions& common) {
  if (common.quiet || common.json) return;
  std::string lines;
  const auto used = [&](const std::string& path, const std::string& state_dict) {
    if (state_dict.empty()) return;
    lines += fmt::format("ptsd: {}: state dict {}\n", escape(path), quote(state_dict));
  };
  used(report.checkpoint, report.checkpoint_state_dict);
  used(report.reference, report.reference_state_dict);
  if (common.verbose) {
    for (const std::string_view name : report.fit.other_dtypes) {
      lines += fmt::format("ptsd: {}: {} has another dtype, and is converted\n",
                           escape(report.checkpoint), quote(name));
    }
  }
  std::fputs(lines.c_str(), stderr);
}

void write(const report::FitReport& report, const CommonOptions& common) {
  if (common.quiet) return;
  report::Output output(common.color);
  if (common.json) {
    write_fit_json(output, report);
  } else {
    write_fit_text(output, report);
  }
  output.finish();
}

std::vector<Warning> warnings_of(const format::Opened& checkpoint, const format::Opened& reference,
                                 const operation::Fit& fit, bool complete) {
  std::vector<Warning> all = checkpoint.loaded().warnings();
  const std::vector<Warning> more = reference.loaded().warnings();
  all.insert(all.end(), more.begin(), more.end());
  for (const std::string_view name : fit.name_only) {
    all.push_back(
        {{.file = reference.address().file},
         fmt::format("{} is no tensor with a shape: its name alone is compared", quote(name))});
  }
  if (!complete) {
    all.push_back({{.file = checkpoint.address().file},
                   "too many names of one shape: not all were looked at for suggestions"});
  }
  return all;
}

Exit run(const Options& options) {
  operation::RenameRules rules = options.rules.compile();
  format::Opened checkpoint(format::parse_address(options.checkpoint), options.common.limits);
  format::Opened reference(format::parse_address(options.reference), options.common.limits);
  const StateDict given = choose(checkpoint, options.in);
  const StateDict wanted = choose(reference, std::nullopt);
  const std::vector<std::string> before = names_of(entries_of(checkpoint, given));
  if (!options.rules.empty()) {
    checkpoint::Draft draft = draft_of(checkpoint);
    rename(draft, {given}, rules, {options.allow_unmatched, false});
  }
  const operation::Fit fit =
      operation::fit({checkpoint.checkpoint(), given}, {reference.checkpoint(), wanted});
  operation::Suggestions found = suggestions(fit, checkpoint, given, reference, wanted);
  report::FitReport report = {
      .checkpoint = options.checkpoint,
      .reference = options.reference,
      .checkpoint_state_dict = given.path,
      .reference_state_dict = wanted.path,
      .strict = options.strict,
      .fit = fit,
      .suggestions = std::move(found.rules),
      .rivals = std::move(found.rivals),
      .warnings = warnings_of(checkpoint, reference, fit, found.complete),
  };
  checkpoint.check_unchanged();
  reference.check_unchanged();
  if (options.emit_map) {
    emit(options, changes_between(before, found.names), {&checkpoint, &reference}, report.warnings);
  }
  write(report, options.common);
  tell(report, options.common);
  const Exit warned = warn(report.warnings, options.common);
  return report.loads() ? warned : Exit::No;
}

}  // namespace

const Command fit_command = {
    .name = "fit",
    .summary = "tell whether load_state_dict would succeed, and what would mend it",
    .examples =
        "# would the model whose state dict is in model.pt load this?\n"
        "ptsd fit downloaded.pt model.pt\n"
        "# only what has another shape counts\n"
        "ptsd fit --no-strict backbone.pt model.pt\n"
        "# write the names that would mend it, and apply them\n"
        "ptsd fit ddp.pt model.pt --emit-map names.tsv\n"
        "ptsd rename ddp.pt --map-from names.tsv -o fitting.pt\n",
    .declare = [](Flags& flags) -> Action {
      auto options = std::make_shared<Options>();
      flags.file("CKPT", options->checkpoint, "the checkpoint to load, or FILE#PATH");
      flags.file("REF", options->reference,
                 "a checkpoint with the model's names and shapes, or FILE#PATH");
      flags.flag("--no-strict", options->strict,
                 "missing and unexpected keys do not count: load_state_dict(strict=False)", false);
      flags.text("--in", options->in, "PATH", "load the state dict of CKPT at PATH");
      flags.check([options] {
        if (options->in == "*") fail_usage("--in: one state dict is loaded, not all");
        if (options->force && !options->emit_map) fail_usage("--force goes with --emit-map");
      });
      flags.text("--emit-map", options->emit_map, "FILE",
                 "write the names that would mend it, for rename --map-from");
      flags.flag("--force", options->force, "overwrite the FILE of --emit-map");
      options->rules.declare(flags, "Rules for the names of CKPT, applied first, in this order");
      flags.flag("--allow-unmatched", options->allow_unmatched, "let a rule match nothing");
      options->common.declare(flags);
      return [options] { return run(*options); };
    },
};

}  // namespace ptsd::command
