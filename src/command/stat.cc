// SPDX-License-Identifier: Apache-2.0
#include "command/stat.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "command/options.h"
#include "command/payload.h"
#include "command/select.h"
#include "command/warn.h"
#include "format/open.h"
#include "operation/selection.h"
#include "operation/stat.h"
#include "report/stat.h"

namespace ptsd::command {
namespace {

constexpr std::uint64_t kDefaultBins = 7;
constexpr std::uint64_t kMostBins = 1000;

// What --fail-on can name.
struct Finding {
  std::string_view name;
  std::uint64_t report::StatTotals::*count;
};

constexpr auto kFindings = std::to_array<Finding>({
    {"nan", &report::StatTotals::nan},
    {"inf", &report::StatTotals::inf},
});

struct Options {
  std::string file;
  std::vector<std::string> fail_on;
  std::optional<std::uint64_t> bins;
  SelectionOptions selection;
  CommonOptions common;

  void check() const {
    for (const std::string& name : fail_on) {
      if (std::ranges::find(kFindings, name, &Finding::name) != kFindings.end()) continue;
      fail_usage(fmt::format("--fail-on: {} is neither nan nor inf", quote(name)));
    }
    if (bins && (*bins == 0 || *bins > kMostBins)) {
      fail_usage(fmt::format("--bins: {} is not between 1 and {}", *bins, kMostBins));
    }
  }
};

std::vector<checkpoint::Entry> select(const checkpoint::Checkpoint& checkpoint,
                                      const checkpoint::Listing& listing,
                                      operation::Selection& selection) {
  std::vector<checkpoint::Entry> entries;
  for (std::size_t i = 0; i < listing.tensors().size(); ++i) {
    const checkpoint::Entry& entry = listing.tensors()[i];
    if (selection.selects(checkpoint, entry)) entries.push_back(entry);
  }
  selection.require_matches([&] {
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < listing.tensors().size(); ++i) {
      names.push_back(listing.tensors()[i].path);
    }
    return names;
  });
  return entries;
}

bool fails(const Options& options, const report::StatTotals& totals) {
  return std::ranges::any_of(kFindings, [&](const Finding& finding) {
    return totals.*finding.count > 0 &&
           std::ranges::find(options.fail_on, finding.name) != options.fail_on.end();
  });
}

void write(const Options& options, const report::StatReport& report) {
  if (options.common.quiet) return;
  report::Output output(options.common.color);
  if (options.common.json) {
    write_stat_json(output, report);
  } else {
    write_stat_text(output, report);
  }
  output.finish();
}

Exit run(const Options& options) {
  operation::Selection selection(selection_rules(options.selection));
  const format::Opened opened(format::parse_address(options.file), options.common.limits);
  const checkpoint::Checkpoint& checkpoint = opened.checkpoint();
  const checkpoint::Listing listing = list(checkpoint, opened.root(), checkpoint::Want::Tensors);
  report::StatReport report = {.checkpoint = checkpoint,
                               .entries = select(checkpoint, listing, selection),
                               .stats = {},
                               .warnings = warnings_of(opened.loaded(), listing)};
  std::vector<checkpoint::TensorId> tensors;
  for (const checkpoint::Entry& entry : report.entries) {
    tensors.push_back(*entry.tensor);
  }
  const operation::Payload payload = payload_of(opened);
  report.stats = operation::stat(
      payload, tensors,
      {.bins = options.bins.value_or(kDefaultBins), .threads = options.common.thread_count()});
  opened.check_unchanged();
  write(options, report);
  const Exit warned = warn(report.warnings, options.common);
  return fails(options, total(report)) ? Exit::No : warned;
}

}  // namespace

const Command stat_command = {
    .name = "stat",
    .summary = "summarise the elements of tensors: range, mean, zeros, NaN",
    .examples =
        "# every tensor\n"
        "ptsd stat model.pt\n"
        "# in a script: fail when training has diverged\n"
        "ptsd stat -q --fail-on nan,inf model.pt\n"
        "# the tensors that hold a NaN\n"
        "ptsd stat --json model.pt | jq -r '.tensors[] | select(.nan > 0) | .path'\n",
    .declare = [](Flags& flags) -> Action {
      auto options = std::make_shared<Options>();
      flags.file("FILE", options->file, "the checkpoint, or FILE#PATH for a part of it");
      flags.list("--fail-on", options->fail_on, "nan,inf", "exit 1 if any of these is found");
      flags.number("--bins", options->bins, "N", "bins of a histogram (default 7)");
      options->selection.declare(flags);
      options->common.declare(flags);
      flags.check([options] { options->check(); });
      return [options] { return run(*options); };
    },
};

}  // namespace ptsd::command
