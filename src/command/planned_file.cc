// SPDX-License-Identifier: Apache-2.0
#include "command/planned_file.h"

#include <utility>

#include "base/quote.h"
#include "operation/flatten.h"

namespace ptsd::command {

using checkpoint::Draft;
using checkpoint::StateDict;

void PlannedFile::leave_out(const Draft& draft, const std::vector<std::string>& names) {
  if (names.empty()) return;
  warnings.push_back(
      {.where = {.file = draft.base.origin().file}, .message = "left out: " + quote_some(names)});
}

StateDict PlannedFile::chosen(const StateDictOptions& options) const {
  const checkpoint::Checkpoint& checkpoint = settled->checkpoint();
  const auto found = choose_state_dicts(checkpoint, checkpoint.root(), options.in);
  if (found.size() > 1) {
    fail_usage("--in: one state dict fits into such a file", checkpoint.origin().file);
  }
  return found.front();
}

checkpoint::FlatCheckpoint PlannedFile::flatten(const Draft& draft, const OutputOptions& output,
                                                const StateDictOptions& state_dict) {
  const checkpoint::Checkpoint& checkpoint = settled->checkpoint();
  operation::Flattened flattened =
      operation::flatten(checkpoint, checkpoint.root(), chosen(state_dict),
                         {.drop_other = output.drop_other,
                          .clone_shared = output.shared == Shared::Clone,
                          .big_endian = settled->facts().byteorder == "big"},
                         output.metadata);
  leave_out(draft, flattened.dropped);
  return std::move(flattened.flat);
}

}  // namespace ptsd::command
