// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "checkpoint/draft.h"
#include "checkpoint/flat.h"
#include "checkpoint/state_dict.h"
#include "command/options.h"
#include "format/loaded.h"
#include "format/save.h"
#include "format/shards_save.h"

namespace ptsd::command {

// Of the file, or of its parts.
std::string_view format_of(const format::FileFacts& facts);

// What is written, with all that it borrows besides the inputs.
struct PlannedFile {
  std::string_view format = {};                  // as in FileFacts
  std::unique_ptr<format::Loaded> settled = {};  // the draft, for a format that holds no graph
  std::unique_ptr<format::Save> save = {};
  format::PlannedFiles parts = {};     // instead of it, in a directory
  std::vector<Warning> warnings = {};  // what is left out
  // The path of the state dict that is written, where the format holds one and no more.
  std::optional<std::string> state_dict = {};
  bool tensors_alone = false;  // and of that only what load_state_dict() copies

  // Warns of what the output will not have.
  void leave_out(const checkpoint::Draft& draft, const std::vector<std::string>& names);
  // Takes from the draft what the container has no place for. Throws Error::Conflict where that
  // holds tensors, unless --drop-other is given.
  void leave_out_foreign(checkpoint::Draft& draft, Container container,
                         const OutputOptions& output);
  // The one state dict of what is settled; the root, where an edit took all tensors.
  checkpoint::StateDict chosen(const StateDictOptions& options);
  // It, as a format without pickles holds it; `input` is what the draft was made from.
  checkpoint::FlatCheckpoint flatten(const checkpoint::Draft& draft, const format::FileFacts& input,
                                     const OutputOptions& output, const StateDictOptions& options);
};

}  // namespace ptsd::command
