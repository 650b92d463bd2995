// SPDX-License-Identifier: Apache-2.0
#include "command/planned_file.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/quote.h"
#include "command/container_names.h"
#include "operation/flatten.h"
#include "operation/foreign_attributes.h"

namespace ptsd::command {

using checkpoint::Draft;
using checkpoint::StateDict;

namespace {

// A dict of names without a tensor anywhere, as an edit can leave it.
bool is_emptied(const checkpoint::Checkpoint& checkpoint) {
  const auto pairs = pairs_of(checkpoint.names(), checkpoint.root());
  return checkpoint.tensors().count() == 0 && pairs &&
         std::ranges::all_of(*pairs, [&](const checkpoint::Pair& pair) {
           return checkpoint::is_text(checkpoint.graph(), pair.key);
         });
}

}  // namespace

std::string_view format_of(const format::FileFacts& facts) {
  return facts.sharding ? facts.sharding->parts.front().format : facts.format;
}

void PlannedFile::leave_out(const Draft& draft, const std::vector<std::string>& names) {
  if (names.empty()) return;
  warnings.push_back(
      {.where = {.file = draft.base.origin().file}, .message = "left out: " + quote_some(names)});
}

void PlannedFile::leave_out_foreign(Draft& draft, Container container,
                                    const OutputOptions& output) {
  const bool has_texts = container == Container::Safetensors;
  operation::ForeignAttributes dropped = operation::drop_foreign_attributes(
      draft, has_texts ? operation::kProgramAttributes : operation::kForeignAttributes);
  if (!dropped.tensors.empty() && !output.drop_other) {
    draft.base.fail(Error::Kind::Conflict,
                    fmt::format("{} has no place for tensors that a program holds besides its "
                                "state dict: {}; --drop-other leaves them out",
                                format_of(container), quote_some(dropped.tensors)));
  }
  std::vector<std::string>& all = dropped.tensors;
  all.insert(all.end(), dropped.names.begin(), dropped.names.end());
  leave_out(draft, all);
}

StateDict PlannedFile::chosen(const StateDictOptions& options) {
  const checkpoint::Checkpoint& checkpoint = settled->checkpoint();
  const auto found = options.in.empty() && is_emptied(checkpoint)
                         ? std::vector<StateDict>{{.path = "", .node = checkpoint.root()}}
                         : choose_state_dicts(checkpoint, checkpoint.root(), options.in);
  if (found.size() > 1) {
    fail_usage("--in: one state dict fits into such a file", checkpoint.origin().file);
  }
  state_dict = found.front().path;
  return found.front();
}

checkpoint::FlatCheckpoint PlannedFile::flatten(const Draft& draft, const format::FileFacts& input,
                                                const OutputOptions& output,
                                                const StateDictOptions& options) {
  const checkpoint::Checkpoint& checkpoint = settled->checkpoint();
  tensors_alone = true;
  operation::Flattened flattened =
      operation::flatten(checkpoint, checkpoint.root(), chosen(options),
                         {.drop_other = output.drop_other,
                          .clone_shared = output.shared == Shared::Clone,
                          .keep_first = format_of(input) == format_of(Container::Safetensors),
                          .big_endian = settled->facts().byteorder == "big"},
                         output.metadata);
  leave_out(draft, flattened.dropped);
  return std::move(flattened.flat);
}

}  // namespace ptsd::command
