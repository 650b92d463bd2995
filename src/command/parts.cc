// SPDX-License-Identifier: Apache-2.0
#include "command/parts.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "command/container_names.h"
#include "format/refuse_loss.h"
#include "format/settle.h"
#include "format/shard_items.h"

namespace ptsd::command {

using checkpoint::Draft;
using checkpoint::is_text;
using checkpoint::StateDict;
using format::Opened;

namespace {

// As Hugging Face calls them.
struct PartNames {
  Container container;
  std::string_view stem;
  std::string_view extension;
  std::string_view index;
};

constexpr auto kPartNames = std::to_array<PartNames>({
    {Container::Zip,         "pytorch_model", ".bin",         "pytorch_model.bin.index.json"},
    {Container::Safetensors, "model",         ".safetensors", "model.safetensors.index.json"},
});

const PartNames& part_names(Container container) {
  const auto* const found = std::ranges::find(kPartNames, container, &PartNames::container);
  if (found == kPartNames.end()) fail_usage("--to: parts are pt or safetensors");
  return *found;
}

// How the input is spread over files, if the parts stay such files.
const format::Sharding* sharding_of(const Opened& input, Container container) {
  const auto& sharding = input.loaded().facts().sharding;
  if (!sharding || sharding->parts.front().format != format_of(container)) return nullptr;
  return &*sharding;
}

Container container_of_parts(const Opened& input, const OutputOptions& output) {
  if (output.to) return *output.to;
  const bool safe = format_of(input.loaded().facts()) == format_of(Container::Safetensors);
  return safe ? Container::Safetensors : Container::Zip;
}

// Entries stay where their values were, whatever their names are now.
format::Sharding followed(const format::Sharding& before, const Draft& draft) {
  format::Sharding now = before;
  const auto entries = pairs_of(draft.base.names(), draft.root);
  if (!entries || draft.converted) return now;
  now.part_of.clear();
  for (const checkpoint::Pair& entry : *entries) {
    const auto part = before.part_of_value.find(entry.value);
    if (part == before.part_of_value.end() || !is_text(draft.graph(), entry.key)) continue;
    now.part_of.emplace(draft.graph().text(entry.key), part->second);
  }
  return now;
}

format::ShardPlan plan_sizes(const std::vector<format::ShardItem>& items, const PartNames& names,
                             const format::Sharding* before, const OutputOptions& output) {
  if (output.max_shard_size) {
    return split_by_size(items, *output.max_shard_size, names.stem, names.extension);
  }
  if (before == nullptr) fail_usage("--to: other parts than before need --max-shard-size");
  return split_as_before(items, *before);
}

}  // namespace

PlannedFile plan_parts(Draft& draft, const Opened& input, format::Inputs inputs,
                       const OutputOptions& output, const StateDictOptions& state_dict,
                       const Limits& limits) {
  PlannedFile file;
  const Container container = container_of_parts(input, output);
  const PartNames& names = part_names(container);
  output.check_for(container);
  const format::Sharding* before = sharding_of(input, container);
  format::Sharding edited;
  if (before != nullptr) {
    edited = followed(*before, draft);
    before = &edited;
  }
  const bool same_index = before != nullptr && !before->index.empty();
  const std::string index = same_index ? before->index : std::string(names.index);
  const format::IndexStyle style = same_index ? before->style : format::IndexStyle();
  file.format = "shards";
  file.leave_out_foreign(draft, container, output);
  format::refuse_loss(inputs, output.force);
  file.settled = settle(draft, inputs, limits);
  if (container == Container::Safetensors) {
    checkpoint::FlatCheckpoint flat =
        file.flatten(draft, input.loaded().facts(), output, state_dict);
    const format::ShardPlan plan = plan_sizes(format::shard_items(flat), names, before, output);
    const format::Loaded* const settled = file.settled.get();
    file.parts = plan_safetensors_shards(std::move(flat), format::Inputs(&settled, 1), plan, index,
                                         before, style, output.metadata);
    return file;
  }
  const StateDict chosen = file.chosen(state_dict);
  if (chosen.node != file.settled->checkpoint().root()) {
    fail_usage("parts hold one state dict: FILE#PATH says which", draft.base.origin().file);
  }
  const format::ShardPlan plan = plan_sizes(
      format::shard_items(file.settled->checkpoint(), chosen.node), names, before, output);
  file.parts = plan_torch_shards(*file.settled, chosen.node, plan, index, before, style);
  return file;
}

}  // namespace ptsd::command
