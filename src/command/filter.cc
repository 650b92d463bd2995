// SPDX-License-Identifier: Apache-2.0
#include "command/filter.h"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/mapping.h"
#include "command/edit.h"
#include "command/select.h"
#include "operation/drop.h"
#include "operation/filter.h"

namespace ptsd::command {
namespace {

using checkpoint::Checkpoint;
using checkpoint::StateDict;
using pickle::NodeId;

struct Options {
  std::string file;
  std::optional<std::string> like;
  std::vector<std::string> drop;
  SelectionOptions selection;
  StateDictOptions state_dict;
  OutputOptions output;
  CommonOptions common;

  bool selects() const {
    return like || !selection.include.empty() || !selection.exclude.empty() ||
           !selection.names_from.empty() || !selection.dtypes.empty() || selection.shape;
  }
};

// The names of a state dict and their shapes; of what is no tensor, none.
class Reference {
 public:
  Reference(const std::string& file, const Limits& limits) {
    const format::Opened opened(format::parse_address(file), limits);
    const Checkpoint& checkpoint = opened.checkpoint();
    for (const StateDict& each : choose_state_dicts(checkpoint, opened.root(), {})) {
      for (const checkpoint::Pair& pair : entries_of(checkpoint, each)) {
        shapes_.insert_or_assign(std::string(checkpoint.graph().text(pair.key)),
                                 shape_of(checkpoint, pair.value));
      }
    }
    opened.check_unchanged();
  }

  bool has(const Checkpoint& checkpoint, std::string_view name, NodeId value) const {
    const auto found = shapes_.find(name);
    return found != shapes_.end() && found->second == shape_of(checkpoint, value);
  }

 private:
  using Shape = std::optional<std::vector<std::int64_t>>;

  static Shape shape_of(const Checkpoint& checkpoint, NodeId value) {
    const std::optional<checkpoint::TensorId> id = checkpoint.tensors().tensor_of(value);
    if (!id) return std::nullopt;
    const tensor::Dims shape = checkpoint.tensors().shape(checkpoint.tensors()[*id]);
    return std::vector<std::int64_t>(shape.begin(), shape.end());
  }

  std::map<std::string, Shape, std::less<>> shapes_;
};

// Applies the selection of the command line to state dicts.
class Filter {
 public:
  Filter(const Options& options, checkpoint::Draft& draft)
      : draft_(draft),
        selection_(selection_rules(options.selection)),
        like_(options.like.value_or("")),
        allow_unmatched_(options.selection.allow_unmatched),
        listed_(options.output.dry_run || options.common.json) {
    if (options.like) {
      reference_ = std::make_unique<Reference>(*options.like, options.common.limits);
    }
  }

  operation::Filtered run(const std::vector<StateDict>& chosen) {
    const operation::Filtered done = operation::filter(
        draft_, chosen, [this](std::string_view name, NodeId value) { return keeps(name, value); });
    selection_.require_matches([this] { return names_; });
    if (reference_ && !is_like_any_ && !allow_unmatched_) {
      fail_usage("--like: no entry has a name and the shape of one of " + quote(like_));
    }
    return done;
  }

  std::vector<report::Change> take_changes() { return std::move(changes_); }

 private:
  bool keeps(std::string_view name, NodeId value) {
    names_.push_back(name);
    checkpoint::Entry entry = {.path = name, .node = value};
    if (const auto tensor = draft_.base.tensors().tensor_of(value)) entry.tensor = *tensor;
    const bool is_like = reference_ && reference_->has(draft_.base, name, value);
    is_like_any_ = is_like_any_ || is_like;
    const bool kept = selection_.selects(draft_.base, entry) && (!reference_ || is_like);
    if (!kept && listed_) changes_.push_back({std::string(name), std::nullopt});
    return kept;
  }

  checkpoint::Draft& draft_;
  operation::Selection selection_;
  std::unique_ptr<Reference> reference_;  // null: none
  std::string like_;                      // its file
  bool is_like_any_ = false;
  bool allow_unmatched_;
  std::vector<std::string_view> names_;
  std::vector<report::Change> changes_;
  bool listed_;
};

Exit run(const Options& options) {
  format::Opened opened(format::parse_address(options.file), options.common.limits);
  checkpoint::Draft draft = draft_of(opened);
  draft.drop_unused = true;
  report::EditReport report = {.command = "filter"};
  if (options.selects()) {
    const std::vector<StateDict> chosen =
        choose_state_dicts(opened.checkpoint(), opened.root(), options.state_dict.in);
    Filter filter(options, draft);
    const operation::Filtered done = filter.run(chosen);
    report.what = fmt::format("kept {} of {} entries{}", done.kept, done.names, describe(chosen));
    report.counts = {
        {"names",   done.names          },
        {"kept",    done.kept           },
        {"modules", done.modules_dropped}
    };
    report.state_dicts = paths_of(chosen);
    report.changes = filter.take_changes();
  }
  if (!options.drop.empty()) {
    const operation::Dropped dropped =
        drop(draft, patterns(options.drop), options.selection.allow_unmatched);
    report.what +=
        fmt::format("{}dropped {} {}", report.what.empty() ? "" : ", ", dropped.paths.size(),
                    dropped.paths.size() == 1 ? "entry" : "entries");
    report.counts.emplace_back("dropped", dropped.paths.size());
    for (const std::string& path : dropped.paths) {
      report.changes.push_back({path, std::nullopt});
    }
  }
  report.changed = draft.pickle_changed;
  return save(draft, {&opened}, {options.output, options.state_dict, options.common},
              std::move(report));
}

}  // namespace

const Command filter_command = {
    .name = "filter",
    .summary = "keep some entries of a checkpoint",
    .examples =
        "# the encoder only; what lies outside the state dict stays\n"
        "ptsd filter model.pt --include 'encoder.*' -o encoder.pt\n"
        "# a training checkpoint without its optimizer\n"
        "ptsd filter training.pt --drop optimizer_state_dict -o small.pt\n"
        "# what another model can take\n"
        "ptsd filter pretrained.pt --like mine.pt -o init.pt\n",
    .declare = [](Flags& flags) -> Action {
      auto options = std::make_shared<Options>();
      flags.file("IN", options->file, "the checkpoint, or FILE#PATH for a part of it");
      options->selection.declare(flags);
      flags.text("--like", options->like, "REF", "only names that REF has with the same shape");
      flags.texts("--drop", options->drop, "PATH",
                  "remove what is at PATH, a glob of paths from the root");
      options->state_dict.declare(flags);
      options->output.declare(flags);
      options->common.declare(flags);
      flags.check([options] {
        if (!options->selects() && options->drop.empty()) {
          fail_usage("nothing to do: --include, --exclude, --like, --drop, ...");
        }
      });
      return [options] { return run(*options); };
    },
};

}  // namespace ptsd::command
