// SPDX-License-Identifier: Apache-2.0
#include "command/diff.h"

#include <charconv>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/mapping.h"
#include "command/edit.h"
#include "command/options.h"
#include "command/payload.h"
#include "command/rename_options.h"
#include "command/select.h"
#include "command/warn.h"
#include "format/open.h"
#include "operation/diff.h"
#include "operation/rename.h"
#include "report/diff.h"

namespace ptsd::command {
namespace {

struct Options {
  std::string a;
  std::string b;
  bool bits = false;
  bool close = false;
  std::optional<std::string> rtol;
  std::optional<std::string> atol;
  bool equal_nan = true;
  bool keys_only = false;
  bool ignore_dtype = false;
  bool ignore_missing = false;
  bool strict_layout = false;
  std::optional<std::uint64_t> limit;
  bool brief = false;
  RenameRuleOptions rules;
  StateDictOptions state_dict;
  SelectionOptions selection;
  CommonOptions common;

  void check() const {
    if (rtol.has_value() != atol.has_value()) fail_usage("--rtol and --atol: give both or neither");
    if (static_cast<int>(bits) + static_cast<int>(close) + static_cast<int>(rtol.has_value()) > 1) {
      fail_usage("--bits, --close and --rtol --atol exclude one another");
    }
    if (bits && !equal_nan) fail_usage("--bits and --no-equal-nan exclude one another");
    if (!state_dict.in.empty() && rules.empty()) {
      fail_usage("--in goes with rules for names; A#PATH is a part of A");
    }
  }
};

double parse_tolerance(std::string_view option, const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= 0) ||
      std::isinf(value)) {
    fail_usage(fmt::format("{}: {} is no number from 0 on", option, quote(text)));
  }
  return value;
}

operation::DiffOptions diff_options(const Options& options) {
  operation::DiffOptions result = {
      .rules = {.bits = options.bits, .equal_nan = options.equal_nan},
      .close = options.close,
      .keys_only = options.keys_only,
      .ignore_dtype = options.ignore_dtype,
      .ignore_missing = options.ignore_missing,
      .strict_layout = options.strict_layout,
      .first_only = options.common.quiet,
      .threads = options.common.thread_count(),
  };
  if (options.rtol) {
    result.rules.tolerance = {parse_tolerance("--rtol", *options.rtol),
                              parse_tolerance("--atol", *options.atol)};
  }
  return result;
}

// As `ptsd rename` would: in the state dict that it would edit.
void rename(format::Opened& opened, const Options& options) {
  if (options.rules.empty()) return;
  operation::RenameRules rules = options.rules.compile();
  checkpoint::Draft draft = draft_of(opened);
  const std::vector<checkpoint::StateDict> chosen =
      choose_state_dicts(opened.checkpoint(), opened.root(), options.state_dict.in);
  operation::rename(draft, chosen, rules, {.allow_unmatched = options.selection.allow_unmatched});
}

// A model and the state dict of one are compared as state dicts.
void enter_module(format::Opened& opened, const format::Opened& other) {
  const bool is_mapping = pairs_of(other.checkpoint().names(), other.root()).has_value();
  if (opened.is_module() && is_mapping) opened.enter_module();
}

std::vector<std::string_view> names_of(const operation::Diff& diff) {
  std::vector<std::string_view> names;
  for (const operation::DiffEntries* entries : {&diff.entries_a, &diff.entries_b}) {
    for (std::size_t i = 0; i < entries->size(); ++i) {
      if ((*entries)[i].is_leaf) names.push_back((*entries)[i].path);
    }
  }
  return names;
}

// Tensors are nothing that goes without a word.
void warn_of_apart(const operation::DiffEntries& entries, const std::vector<std::uint32_t>& apart,
                   const std::string& file, std::vector<Warning>& warnings) {
  std::vector<std::string> paths;
  for (const std::uint32_t number : apart) {
    if (entries[number].tensor) paths.emplace_back(entries[number].path);
  }
  if (paths.empty()) return;
  warnings.push_back(
      {.where = {.file = file},
       .message = fmt::format("not compared, as the other file has no place for them: {}",
                              quote_some(paths))});
}

void write(const Options& options, const report::DiffReport& report) {
  if (report.options.first_only) return;
  report::Output output(options.common.color);
  if (options.common.json) {
    write_diff_json(output, report);
  } else if (options.brief) {
    write_diff_brief(output, report);
  } else {
    write_diff_text(output, report);
  }
  output.finish();
}

Exit run(const Options& options) {
  operation::DiffOptions how = diff_options(options);
  operation::SelectionRules selection_rules_typed = selection_rules(options.selection);
  const bool selects = !selection_rules_typed.empty();
  operation::Selection selection(std::move(selection_rules_typed));
  if (selects) {
    how.selects = [&](const checkpoint::Checkpoint& checkpoint, const checkpoint::Entry& entry) {
      return selection.selects(checkpoint, entry);
    };
  }
  format::Opened a(format::parse_address(options.a), options.common.limits);
  format::Opened b(format::parse_address(options.b), options.common.limits);
  enter_module(a, b);
  enter_module(b, a);
  rename(a, options);
  const operation::Diff diff = operation::diff(side_of(a), side_of(b), how);
  if (selects) selection.require_matches([&] { return names_of(diff); });
  report::DiffReport report = {.diff = diff,
                               .a = a.checkpoint(),
                               .b = b.checkpoint(),
                               .name_a = options.a,
                               .name_b = options.b,
                               .options = how,
                               .limit = options.limit,
                               .warnings = a.loaded().warnings()};
  const std::vector<Warning> more = b.loaded().warnings();
  report.warnings.insert(report.warnings.end(), more.begin(), more.end());
  warn_of_apart(diff.entries_a, diff.apart_a, options.a, report.warnings);
  warn_of_apart(diff.entries_b, diff.apart_b, options.b, report.warnings);
  a.check_unchanged();
  b.check_unchanged();
  write(options, report);
  const Exit warned = warn(report.warnings, options.common);
  return diff.equal() ? warned : Exit::No;
}

void declare_comparison(Flags& flags, Options& options) {
  flags.group("What counts as equal");
  flags.flag("--bits", options.bits,
             "equal bits alone: -0.0 is not 0.0, and the bits of NaN count");
  flags.flag("--close", options.close,
             "within the tolerances of torch.testing.assert_close for the dtypes");
  flags.text("--rtol", options.rtol, "R", "with --atol: |a - b| <= A + R * |b|, as torch.allclose");
  flags.text("--atol", options.atol, "A", "see --rtol");
  flags.flag("--equal-nan", options.equal_nan, "NaN equals NaN (default)");
  flags.flag("--no-equal-nan", options.equal_nan, "NaN equals nothing", false);
  flags.flag("--ignore-dtype", options.ignore_dtype, "compare tensors of two dtypes by value");
  flags.flag("--ignore-missing", options.ignore_missing, "let names be in one file only");
  flags.flag("--strict-layout", options.strict_layout,
             "device, requires_grad, strides and shared storage count");
  flags.flag("--keys-only", options.keys_only, "compare the names alone");
}

}  // namespace

const Command diff_command = {
    .name = "diff",
    .summary = "compare two checkpoints",
    .examples =
        "# everything, exactly\n"
        "ptsd diff a.pt b.pt\n"
        "# in a script: 0 the same, 1 different, 2 could not compare\n"
        "ptsd diff -q a.pt b.pt && echo same\n"
        "# the weights within two training checkpoints, as close as assert_close asks\n"
        "ptsd diff --close 'a.pt#model_state_dict' 'b.pt#model_state_dict'\n"
        "# before and after a cast\n"
        "ptsd diff --ignore-dtype --close model.pt half.pt\n"
        "# one has DistributedDataParallel's prefix\n"
        "ptsd diff ddp.pt model.pt --strip-prefix module.\n",
    .declare = [](Flags& flags) -> Action {
      auto options = std::make_shared<Options>();
      flags.file("A", options->a, "a checkpoint, or FILE#PATH for a part of it");
      flags.file("B", options->b, "another, likewise");
      flags.number("-n,--limit-rows", options->limit, "N", "show N differences; counts stay exact");
      flags.flag("--brief", options->brief, "the totals alone");
      declare_comparison(flags, *options);
      options->rules.declare(flags, "Names of A are changed first, as rename would");
      options->state_dict.declare(flags);
      options->selection.declare(flags);
      options->common.declare(flags);
      flags.check([options] { options->check(); });
      return [options] { return run(*options); };
    },
};

}  // namespace ptsd::command
