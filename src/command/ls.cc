// SPDX-License-Identifier: Apache-2.0
#include "command/ls.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "command/options.h"
#include "command/select.h"
#include "command/warn.h"
#include "format/open.h"
#include "operation/selection.h"
#include "operation/totals.h"
#include "report/ls.h"

namespace ptsd::command {
namespace {

enum class Order { File, Name, Size };

struct Options {
  std::string file;
  bool all = false;
  Order order = Order::File;
  std::optional<std::uint64_t> limit;
  report::LsStyle style;
  SelectionOptions selection;
  CommonOptions common;
};

using Numbers = std::vector<std::uint32_t>;

Numbers select(const checkpoint::Checkpoint& checkpoint,
               const SegmentedVector<checkpoint::Entry>& entries, operation::Selection& selection) {
  Numbers numbers;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (selection.selects(checkpoint, entries[i])) numbers.push_back(static_cast<std::uint32_t>(i));
  }
  return numbers;
}

void sort(Numbers& numbers, Order order, const checkpoint::Checkpoint& checkpoint,
          const checkpoint::Listing& listing) {
  if (order == Order::Name) {
    std::ranges::stable_sort(numbers, {}, [&](auto n) { return listing.tensors()[n].path; });
  } else if (order == Order::Size) {
    const checkpoint::Tensors& tensors = checkpoint.tensors();
    std::ranges::stable_sort(numbers, std::greater(), [&](auto n) {
      return tensors.byte_count(tensors[*listing.tensors()[n].tensor]);
    });
  }
}

operation::Totals total(const checkpoint::Checkpoint& checkpoint,
                        const checkpoint::Listing& listing, const Numbers& numbers) {
  operation::Totalizer totalizer(checkpoint);
  for (const std::uint32_t number : numbers) {
    totalizer.add(listing.tensors()[number]);
  }
  return totalizer.finish();
}

void write(const Options& options, const report::LsReport& report) {
  report::Output output(options.common.color);
  if (options.common.json) {
    write_ls_json(output, report, options.all);
  } else if (options.style.tree) {
    write_ls_tree(output, report, options.style);
  } else {
    write_ls_text(output, report, options.style);
  }
  output.finish();
}

std::vector<std::string_view> names_of(const checkpoint::Listing& listing) {
  std::vector<std::string_view> names;
  for (std::size_t i = 0; i < listing.tensors().size(); ++i) {
    names.push_back(listing.tensors()[i].path);
  }
  return names;
}

Exit run(const Options& options) {
  operation::Selection selection(selection_rules(options.selection));
  const format::Opened opened(format::parse_address(options.file), options.common.limits);
  const checkpoint::Checkpoint& checkpoint = opened.checkpoint();
  const checkpoint::Listing listing =
      list(checkpoint, opened.root(),
           options.all ? checkpoint::Want::Everything : checkpoint::Want::Tensors);
  Numbers shown = select(checkpoint, listing.tensors(), selection);
  Numbers others = select(checkpoint, listing.others(), selection);
  selection.require_matches([&] { return names_of(listing); });
  report::LsReport report = {
      .path = opened.address().file,
      .subtree = opened.address().path,
      .loaded = opened.loaded(),
      .listing = listing,
      .shown = {},
      .others = std::move(others),
      .selected = shown.size(),
      .totals = total(checkpoint, listing, shown),
      .warnings = warnings_of(opened.loaded(), listing),
  };
  const bool whole = opened.address().path.empty() && shown.size() == listing.tensors().size();
  if (whole) report.totals.unused_bytes += opened.loaded().facts().orphan_bytes;
  sort(shown, options.order, checkpoint, listing);
  if (options.limit && *options.limit < shown.size()) shown.resize(*options.limit);
  report.shown = std::move(shown);
  opened.check_unchanged();
  write(options, report);
  return warn(report.warnings, options.common);
}

}  // namespace

const Command ls_command = {
    .name = "ls",
    .summary = "list the tensors of a checkpoint",
    .examples =
        "# names, dtypes, shapes and sizes, in the order of the file\n"
        "ptsd ls model.pt\n"
        "# the ten largest, with their storages and strides\n"
        "ptsd ls -l --sort size -n 10 model.pt\n"
        "# the weights of one part of a training checkpoint, as a tree\n"
        "ptsd ls --tree 'training.pt#model_state_dict'\n"
        "# everything, other values too, for a script\n"
        "ptsd ls -a --json training.pt | jq -r '.other[] | .path'\n",
    .declare = [](Flags& flags) -> Action {
      auto options = std::make_shared<Options>();
      flags.file("FILE", options->file, "the checkpoint, or FILE#PATH for a part of it");
      flags.flag("-a,--all", options->all, "list every other value too");
      flags.flag("-l,--long", options->style.details,
                 "add strides, storage, offset, device, requires_grad and the place in the file");
      flags.flag("--tree", options->style.tree, "group names by their segments");
      flags.number("--depth", options->style.depth, "N",
                   "sum up what lies deeper than N segments; implies --tree");
      flags.choice<Order>("--sort", options->order,
                          {
                              {"file", Order::File},
                              {"name", Order::Name},
                              {"size", Order::Size},
      },
                          "the order: as in the file (default), by name, or largest first");
      flags.number("-n,--limit-rows", options->limit, "N", "show N tensors; counts stay exact");
      flags.flag("--bytes", options->style.exact_bytes, "sizes in bytes, without units");
      options->selection.declare(flags);
      options->common.declare(flags);
      flags.check([options] {
        if (options->style.depth) options->style.tree = true;
        if (options->style.depth == 0) fail_usage("--depth: 0 would show nothing");
        if (options->style.tree && options->style.details) {
          fail_usage("--tree and --long do not go together");
        }
        if (options->style.tree && options->all) {
          fail_usage("--tree and --all do not go together");
        }
      });
      return [options] { return run(*options); };
    },
};

}  // namespace ptsd::command
