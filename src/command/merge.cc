// SPDX-License-Identifier: Apache-2.0
#include "command/merge.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "command/edit.h"
#include "format/checked_storages.h"
#include "operation/filter.h"
#include "operation/merge.h"
#include "operation/rename.h"
#include "report/numbers.h"

namespace ptsd::command {
namespace {

using checkpoint::StateDict;

struct Options {
  std::vector<std::string> files;
  operation::OnConflict on_conflict = operation::OnConflict::Error;
  bool intersect = false;
  StateDictOptions state_dict;
  OutputOptions output;
  CommonOptions common;
};

// FILE, or PREFIX=FILE.
struct Argument {
  std::string prefix;
  std::string file;
};

Argument parse_argument(const std::string& text) {
  const std::size_t equals = text.find('=');
  const std::string file = format::parse_address(text).file;
  std::error_code error;
  if (equals == std::string::npos || std::filesystem::exists(file, error)) return {"", text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

// The inputs, each with its prefix put before the names of its state dict.
class Inputs {
 public:
  explicit Inputs(const Options& options) {
    for (const std::string& text : options.files) {
      add(parse_argument(text), options);
    }
    refuse_mixed_order();
  }

  std::vector<format::Opened*> opened() const {
    std::vector<format::Opened*> all;
    for (const auto& input : opened_) {
      all.push_back(input.get());
    }
    return all;
  }
  checkpoint::Draft& draft() { return drafts_.front(); }

  std::vector<operation::MergeInput> others() const {
    std::vector<operation::MergeInput> all;
    for (std::size_t i = 1; i < opened_.size(); ++i) {
      all.push_back({opened_[i]->checkpoint(), drafts_[i].root, i});
    }
    return all;
  }

 private:
  void add(const Argument& argument, const Options& options) {
    opened_.push_back(std::make_unique<format::Opened>(format::parse_address(argument.file),
                                                       options.common.limits));
    format::Opened& opened = *opened_.back();
    drafts_.push_back(draft_of(opened));
    if (argument.prefix.empty()) return;
    std::vector<operation::RenameRules::Given> given;
    given.push_back({
        "PREFIX=FILE", operation::PrefixRule{"", argument.prefix}
    });
    operation::RenameRules rules(std::move(given));
    operation::rename(drafts_.back(),
                      choose_state_dicts(opened.checkpoint(), opened.root(), options.state_dict.in),
                      rules, {});
  }

  void refuse_mixed_order() const {
    for (const auto& input : opened_) {
      const std::string& first = opened_.front()->loaded().facts().byteorder;
      const std::string& order = input->loaded().facts().byteorder;
      if (order == first) continue;
      input->checkpoint().fail(
          Error::Kind::Conflict,
          fmt::format("{}-endian, the first input is {}-endian", order, first));
    }
  }

  std::vector<std::unique_ptr<format::Opened>> opened_;
  std::vector<checkpoint::Draft> drafts_;
};

// In how many inputs the state dict at a path has an entry of a name. Where one is edited, its
// path does not count: each input has its own.
class NameCounts {
 public:
  explicit NameCounts(const StateDictOptions& options)
      : options_(options),
        by_path_(options.in.size() > 1 || (!options.in.empty() && options.in.front() == "*")) {}

  void add(const checkpoint::Checkpoint& checkpoint, pickle::NodeId root) {
    for (const StateDict& each : choose_state_dicts(checkpoint, root, options_.in)) {
      std::set<std::string> names;
      for (const checkpoint::Pair& pair : entries_of(checkpoint, each)) {
        names.emplace(checkpoint.graph().text(pair.key));
      }
      for (const std::string& name : names) {
        ++counts_[{path_of(each), name}];
      }
    }
    ++inputs_;
  }

  bool is_in_all(const StateDict& state_dict, std::string_view name) const {
    const auto found = counts_.find({path_of(state_dict), std::string(name)});
    return found != counts_.end() && found->second == inputs_;
  }

 private:
  std::string path_of(const StateDict& each) const { return by_path_ ? each.path : ""; }

  const StateDictOptions& options_;
  bool by_path_;
  std::map<std::pair<std::string, std::string>, std::size_t> counts_;  // by path and name
  std::size_t inputs_ = 0;
};

// Before the inputs are merged.
NameCounts count_names(Inputs& inputs, const Options& options) {
  NameCounts counts(options.state_dict);
  counts.add(inputs.draft().base, inputs.draft().root);
  for (const operation::MergeInput& input : inputs.others()) {
    counts.add(input.checkpoint, input.root);
  }
  return counts;
}

// How many entries are kept.
std::uint64_t intersect(checkpoint::Draft& draft, const NameCounts& counts,
                        const Options& options) {
  draft.drop_unused = true;
  std::uint64_t kept = 0;
  for (const StateDict& each : choose_state_dicts(draft.base, draft.root, options.state_dict.in)) {
    kept += operation::filter(draft, {each}, [&](std::string_view name, pickle::NodeId) {
              return counts.is_in_all(each, name);
            }).kept;
  }
  return kept;
}

Exit run(const Options& options) {
  Inputs inputs(options);
  const std::vector<format::Opened*> opened = inputs.opened();
  std::vector<const format::Loaded*> loaded;
  for (const format::Opened* input : opened) {
    loaded.push_back(&input->loaded());
  }
  format::CheckedStorages storages(loaded);
  const operation::OpenStorage open = [&](std::size_t input, checkpoint::StorageId storage) {
    return storages.open(input, storage);
  };
  std::optional<NameCounts> counts;
  if (options.intersect) counts.emplace(count_names(inputs, options));
  const operation::Merged done = merge(inputs.draft(), inputs.others(), options.on_conflict, open);
  report::EditReport report = {
      .command = "merge",
      .what = fmt::format("merged {} files: {} added, {} equal, {} in conflict", opened.size(),
                          done.added, done.equal, done.conflicts),
      .counts = {{"added", done.added}, {"equal", done.equal}, {"conflicts", done.conflicts}},
  };
  if (counts) {
    const std::uint64_t kept = intersect(inputs.draft(), *counts, options);
    report.what += fmt::format(", {} in all of them", kept);
    report.counts.emplace_back("kept", kept);
  }
  return save(inputs.draft(), opened, {options.output, options.state_dict, options.common},
              std::move(report));
}

}  // namespace

const Command merge_command = {
    .name = "merge",
    .summary = "unite checkpoints",
    .examples =
        "# two halves of a model\n"
        "ptsd merge encoder.pt decoder.pt -o model.pt\n"
        "# each under a prefix of its own\n"
        "ptsd merge encoder.=enc.pt head.=head.pt -o full.pt\n",
    .declare = [](Flags& flags) -> Action {
      auto options = std::make_shared<Options>();
      flags.files("[PREFIX=]FILE", options->files, "checkpoints; names of FILE get PREFIX", 2);
      flags.group("What is kept");
      flags.choice<operation::OnConflict>("--on-conflict", options->on_conflict,
                                          {
                                              {"error", operation::OnConflict::Error},
                                              {"first", operation::OnConflict::First},
                                              {"last",  operation::OnConflict::Last }
      },
                                          "which of two different values counts");
      flags.flag("--intersect", options->intersect, "keep the names that all have");
      options->state_dict.declare(flags);
      options->output.declare(flags);
      options->common.declare(flags);
      return [options] { return run(*options); };
    },
};

}  // namespace ptsd::command
