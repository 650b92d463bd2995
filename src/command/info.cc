// SPDX-License-Identifier: Apache-2.0
#include "command/info.h"

#include <memory>
#include <string>
#include <vector>

#include "command/options.h"
#include "command/warn.h"
#include "format/open.h"
#include "operation/sections.h"
#include "operation/totals.h"
#include "operation/weights_only.h"
#include "report/info.h"

namespace ptsd::command {
namespace {

struct Options {
  std::string file;
  CommonOptions common;
};

operation::Totals total(const checkpoint::Checkpoint& checkpoint,
                        const checkpoint::Listing& listing) {
  operation::Totalizer totalizer(checkpoint);
  for (std::size_t i = 0; i < listing.tensors().size(); ++i) {
    totalizer.add(listing.tensors()[i]);
  }
  return totalizer.finish();
}

Exit run(const Options& options) {
  const format::Opened opened(format::parse_address(options.file), options.common.limits);
  const checkpoint::Checkpoint& checkpoint = opened.checkpoint();
  const checkpoint::Listing listing = list(checkpoint, opened.root(), checkpoint::Want::Tensors);
  const operation::Sharing sharing(checkpoint, listing);
  report::InfoReport report = {
      .path = opened.address().file,
      .subtree = opened.address().path,
      .loaded = opened.loaded(),
      .listing = listing,
      .sections = operation::sections_of(checkpoint, opened.root()),
      .totals = total(checkpoint, listing),
      .tied = operation::tied_groups(checkpoint, listing, sharing),
      .weights_only = operation::check_weights_only(checkpoint),
      .warnings = warnings_of(opened.loaded(), listing),
  };
  if (opened.address().path.empty()) {
    report.totals.unused_bytes += opened.loaded().facts().orphan_bytes;
  }
  const std::vector<Warning> found = opened.loaded().audit();
  report.warnings.insert(report.warnings.end(), found.begin(), found.end());
  opened.check_unchanged();
  report::Output output(options.common.color);
  if (options.common.json) {
    write_info_json(output, report);
  } else {
    write_info_text(output, report, options.common.verbose);
  }
  output.finish();
  return options.common.strict && !report.warnings.empty() ? Exit::No : Exit::Yes;
}

}  // namespace

const Command info_command = {
    .name = "info",
    .summary = "tell what a file is and what is in it",
    .examples =
        "# what it really is, its sections, totals, and whether weights_only loads it\n"
        "ptsd info training.pt\n"
        "# fail in CI if torch.load(weights_only=True) would refuse the file\n"
        "ptsd info --json model.pt | jq -e .weights_only.loads\n",
    .declare = [](Flags& flags) -> Action {
      auto options = std::make_shared<Options>();
      flags.file("FILE", options->file, "the checkpoint, or FILE#PATH for a part of it");
      options->common.declare(flags);
      return [options] { return run(*options); };
    },
};

}  // namespace ptsd::command
