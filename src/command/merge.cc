// SPDX-License-Identifier: Apache-2.0
#include "command/merge.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
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

// How many of the others have an entry of each name.
std::unordered_map<std::string, std::size_t> count_names(const Inputs& inputs,
                                                         const Options& options) {
  std::unordered_map<std::string, std::size_t> counts;
  for (const operation::MergeInput& input : inputs.others()) {
    for (const StateDict& each :
         choose_state_dicts(input.checkpoint, input.root, options.state_dict.in)) {
      for (const checkpoint::Pair& pair : entries_of(input.checkpoint, each)) {
        ++counts[std::string(input.checkpoint.graph().text(pair.key))];
      }
    }
  }
  return counts;
}

operation::Filtered intersect(Inputs& inputs, const Options& options) {
  const auto counts = count_names(inputs, options);
  checkpoint::Draft& draft = inputs.draft();
  draft.drop_unused = true;
  const std::size_t wanted = inputs.others().size();
  return operation::filter(draft, choose_state_dicts(draft.base, draft.root, options.state_dict.in),
                           [&](std::string_view name, pickle::NodeId) {
                             const auto found = counts.find(std::string(name));
                             return found != counts.end() && found->second >= wanted;
                           });
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
  const operation::Merged done = merge(inputs.draft(), inputs.others(), options.on_conflict, open);
  report::EditReport report = {
      .command = "merge",
      .what = fmt::format("merged {} files: {} added, {} equal, {} in conflict", opened.size(),
                          done.added, done.equal, done.conflicts),
      .counts = {{"added", done.added}, {"equal", done.equal}, {"conflicts", done.conflicts}},
  };
  if (options.intersect) {
    const operation::Filtered kept = intersect(inputs, options);
    report.what += fmt::format(", {} in all of them", kept.kept);
    report.counts.emplace_back("kept", kept.kept);
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
