// SPDX-License-Identifier: Apache-2.0
#include "command/container.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/state_dict.h"
#include "format/copy_save.h"
#include "format/legacy_save.h"
#include "format/safetensors_save.h"
#include "format/settle.h"
#include "format/torch_zip_save.h"
#include "operation/flatten.h"
#include "operation/foreign_attributes.h"
#include "operation/retag.h"

namespace ptsd::command {

using checkpoint::Draft;
using checkpoint::StateDict;
using format::Opened;

namespace {

using Inputs = std::vector<const format::Loaded*>;

struct OwnContainer {
  std::string_view format;
  Container container;
};

constexpr auto kOwnContainers = std::to_array<OwnContainer>({
    {"torch-zip",    Container::Zip        },
    {"torch-legacy", Container::Legacy     },
    {"safetensors",  Container::Safetensors},
});

constexpr auto kTorchSuffixes =
    std::to_array<std::string_view>({".pt", ".pth", ".bin", ".ckpt", ".pkl"});

std::optional<Container> own_container(const Opened& input) {
  const std::string_view format = input.loaded().facts().format;
  const auto* const found = std::ranges::find(kOwnContainers, format, &OwnContainer::format);
  if (found == kOwnContainers.end()) return std::nullopt;
  return found->container;
}

std::string suffix_of(const OutputOptions& output) {
  return output.output ? std::filesystem::path(*output.output).extension().string() : "";
}

// Of what the checkpoint shows the tensors alone, and an edit would lose the rest.
constexpr auto kPrograms =
    std::to_array<std::string_view>({"torchscript", "torchscript-lite", "pt2", "torch-package"});

bool is_program(const Opened& input) {
  return std::ranges::find(kPrograms, input.loaded().facts().format) != kPrograms.end();
}

bool is_unchanged(const Draft& draft) {
  return !draft.pickle_changed && draft.payloads.empty() && !draft.drop_unused;
}

// One file, whole, in the container that it has.
bool is_copy(const Draft& draft, const std::vector<Opened*>& inputs, const OutputOptions& output) {
  const Opened& input = *inputs.front();
  if (is_sharded(input, output)) return false;
  if (!is_unchanged(draft) || inputs.size() > 1 || input.files().size() > 1) return false;
  if (is_program(input)) return !output.to && suffix_of(output) != ".safetensors";
  const auto own = own_container(input);
  return own && *own != Container::Zip && *own == container_of(draft, input, output) &&
         output.metadata.empty();
}

Inputs loaded_of(const std::vector<Opened*>& inputs) {
  Inputs loaded;
  for (const Opened* input : inputs) {
    loaded.push_back(&input->loaded());
  }
  return loaded;
}

void warn_dropped(PlannedFile& file, const Draft& draft, const std::vector<std::string>& names) {
  constexpr std::size_t kMostNamed = 3;
  if (names.empty()) return;
  std::string text = "left out: ";
  for (std::size_t i = 0; i < std::min(names.size(), kMostNamed); ++i) {
    text += fmt::format("{}{}", i == 0 ? "" : ", ", quote(names[i]));
  }
  if (names.size() > kMostNamed) text += fmt::format(" and {} more", names.size() - kMostNamed);
  file.warnings.push_back({.where = {.file = draft.base.origin().file}, .message = text});
}

std::string_view format_of(Container container) {
  return std::ranges::find(kOwnContainers, container, &OwnContainer::container)->format;
}

StateDict chosen_of(const PlannedFile& file, const StateDictOptions& options) {
  const checkpoint::Checkpoint& checkpoint = file.settled->checkpoint();
  const auto chosen = choose_state_dicts(checkpoint, checkpoint.root(), options.in);
  if (chosen.size() > 1) {
    fail_usage("--in: one state dict fits into such a file", checkpoint.origin().file);
  }
  return chosen.front();
}

checkpoint::FlatCheckpoint flatten(PlannedFile& file, const Draft& draft,
                                   const OutputOptions& output,
                                   const StateDictOptions& state_dict) {
  const checkpoint::Checkpoint& checkpoint = file.settled->checkpoint();
  operation::Flattened flattened =
      operation::flatten(checkpoint, checkpoint.root(), chosen_of(file, state_dict),
                         {.drop_other = output.drop_other,
                          .clone_shared = output.shared == Shared::Clone,
                          .big_endian = file.settled->facts().byteorder == "big"},
                         output.metadata);
  warn_dropped(file, draft, flattened.dropped);
  return std::move(flattened.flat);
}

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
  const auto& sharding = input.loaded().facts().sharding;
  const std::string_view format =
      sharding ? sharding->parts.front().format : input.loaded().facts().format;
  const auto* const found = std::ranges::find(kOwnContainers, format, &OwnContainer::format);
  return found != kOwnContainers.end() && found->container == Container::Safetensors
             ? Container::Safetensors
             : Container::Zip;
}

// Entries stay where their values were, whatever their names are now.
format::Sharding followed(const format::Sharding& before, const Draft& draft) {
  format::Sharding now = before;
  const auto entries = pairs_of(draft.base.names(), draft.root);
  if (!entries || draft.converted) return now;
  now.part_of.clear();
  for (const checkpoint::Pair& entry : *entries) {
    const auto part = before.part_of_value.find(entry.value);
    if (part == before.part_of_value.end() || !checkpoint::is_text(draft.graph(), entry.key))
      continue;
    now.part_of.emplace(draft.graph().text(entry.key), part->second);
  }
  return now;
}

format::ShardPlan plan_parts(const std::vector<format::ShardItem>& items, const PartNames& names,
                             const format::Sharding* before, const OutputOptions& output) {
  if (output.max_shard_size) {
    return split_by_size(items, *output.max_shard_size, names.stem, names.extension);
  }
  if (before == nullptr) fail_usage("--to: other parts than before need --max-shard-size");
  return split_as_before(items, *before);
}

void plan_shards(PlannedFile& file, Draft& draft, const Opened& input, const Inputs& inputs,
                 const OutputOptions& output, const StateDictOptions& state_dict,
                 const Limits& limits) {
  const Container container = container_of_parts(input, output);
  const PartNames& names = part_names(container);
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
  if (container == Container::Zip)
    warn_dropped(file, draft, operation::drop_foreign_attributes(draft));
  file.settled = settle(draft, inputs, limits);
  if (container == Container::Safetensors) {
    checkpoint::FlatCheckpoint flat = flatten(file, draft, output, state_dict);
    const format::ShardPlan plan = plan_parts(format::shard_items(flat), names, before, output);
    const format::Loaded* const settled = file.settled.get();
    file.parts = plan_safetensors_shards(std::move(flat), format::Inputs(&settled, 1), plan, index,
                                         before, style);
    return;
  }
  const StateDict chosen = chosen_of(file, state_dict);
  if (chosen.node != file.settled->checkpoint().root()) {
    fail_usage("parts hold one state dict: FILE#PATH says which", draft.base.origin().file);
  }
  const format::ShardPlan plan = plan_parts(
      format::shard_items(file.settled->checkpoint(), chosen.node), names, before, output);
  file.parts = plan_torch_shards(*file.settled, chosen.node, plan, index, before, style);
}

void refuse_zip_options(const format::SaveOptions& options) {
  if (options.alignment) fail_usage("--align is for archives of torch.save");
  if (!options.checksums) fail_usage("--no-crc is for archives of torch.save");
}

[[noreturn]] void fail_program(const Draft& draft) {
  draft.base.fail(
      Error::Kind::Conflict,
      "an archive with code, which an edit cannot change: --to pt writes the state dict");
}

// As PyTorch names the root of an archive.
std::string root_of(const OutputOptions& output) {
  const std::string stem = std::filesystem::path(output.output.value_or("")).stem().string();
  return stem.empty() ? "archive" : stem;
}

}  // namespace

Container container_of(const Draft& draft, const Opened& input, const OutputOptions& output) {
  const std::optional<Container> own = own_container(input);
  if (output.in_place && (!own || (output.to && output.to != own))) {
    fail_usage(
        fmt::format("--in-place cannot keep the format, {}: use -o", input.loaded().facts().format),
        input.address().file);
  }
  if (output.to) return *output.to;
  const std::string suffix = suffix_of(output);
  if (suffix == ".safetensors") return Container::Safetensors;
  if (is_program(input)) fail_program(draft);
  const bool torch = std::ranges::find(kTorchSuffixes, suffix) != kTorchSuffixes.end();
  if (!own || (*own == Container::Safetensors && torch)) return Container::Zip;
  return *own;
}

bool is_sharded(const Opened& input, const OutputOptions& output) {
  if (output.max_shard_size) return true;
  return input.loaded().facts().sharding && output.output && suffix_of(output).empty();
}

PlannedFile plan_file(Draft& draft, const std::vector<Opened*>& inputs, const OutputOptions& output,
                      const StateDictOptions& state_dict, format::SaveOptions options,
                      const Limits& limits) {
  PlannedFile file;
  if (is_copy(draft, inputs, output)) {
    refuse_zip_options(options);
    file.format = inputs.front()->loaded().facts().format;
    file.save = std::make_unique<format::CopySave>(*inputs.front()->files().front());
    return file;
  }
  const Inputs loaded = loaded_of(inputs);
  if (is_sharded(*inputs.front(), output)) {
    refuse_zip_options(options);
    plan_shards(file, draft, *inputs.front(), loaded, output, state_dict, limits);
    return file;
  }
  const Container container = container_of(draft, *inputs.front(), output);
  file.format = format_of(container);
  if (container != Container::Zip) refuse_zip_options(options);
  if (container == Container::Safetensors) {
    file.settled = settle(draft, loaded, limits);
    const format::Loaded* const settled = file.settled.get();
    file.save = std::make_unique<format::SafetensorsSave>(flatten(file, draft, output, state_dict),
                                                          format::Inputs(&settled, 1));
    return file;
  }
  warn_dropped(file, draft, operation::drop_foreign_attributes(draft));
  options.root = root_of(output);
  options.force = output.force;
  if (container == Container::Legacy) {
    file.save = std::make_unique<format::LegacySave>(draft, loaded);
  } else {
    // torch.save's own; weights_only refuses the others.
    if (inputs.front()->loaded().archive() == nullptr) operation::convert_to_protocol2(draft);
    file.save = std::make_unique<format::TorchZipSave>(draft, loaded, options);
  }
  return file;
}

}  // namespace ptsd::command
