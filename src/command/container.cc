// SPDX-License-Identifier: Apache-2.0
#include "command/container.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "command/container_names.h"
#include "command/parts.h"
#include "format/copy_save.h"
#include "format/legacy_save.h"
#include "format/refuse_loss.h"
#include "format/safetensors_save.h"
#include "format/settle.h"
#include "format/text_save.h"
#include "format/torch_zip_save.h"
#include "operation/retag.h"

namespace ptsd::command {

using checkpoint::Draft;
using format::Opened;

namespace {

using Inputs = std::vector<const format::Loaded*>;

constexpr auto kTorchSuffixes =
    std::to_array<std::string_view>({".pt", ".pth", ".bin", ".ckpt", ".pkl"});

std::optional<Container> own_container(const Opened& input) {
  return find_container(input.loaded().facts().format);
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

PlannedFile copy_of(const Opened& input) {
  PlannedFile file;
  const format::FileFacts& facts = input.loaded().facts();
  file.format = facts.format;
  if (!facts.sharding) {
    file.save = std::make_unique<format::CopySave>(*input.files().front());
    return file;
  }
  for (const format::Sharding::Part& part : facts.sharding->parts) {
    file.parts.files.push_back(
        {.name = part.file, .save = std::make_unique<format::CopySave>(input.file(part.file))});
  }
  if (const std::string& index = facts.sharding->index; !index.empty()) {
    const std::vector<std::byte> text = input.file(index).read(0, input.file(index).size());
    file.parts.files.push_back(
        {.name = index, .save = std::make_unique<format::TextSave>(std::string(as_text(text)))});
  }
  return file;
}

Inputs loaded_of(const std::vector<Opened*>& inputs) {
  Inputs loaded;
  for (const Opened* input : inputs) {
    loaded.push_back(&input->loaded());
  }
  return loaded;
}

void refuse_zip_options(const format::SaveOptions& options) {
  if (options.alignment) fail_usage("--align is for archives of torch.save");
  if (!options.checksums) fail_usage("--no-crc is for archives of torch.save");
}

[[noreturn]] void fail_program(const Draft& draft) {
  draft.base.fail(
      Error::Kind::Conflict,
      "an archive with code, which an edit cannot change: ptsd rewrite --to pt writes the state "
      "dict");
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
  if (!own && !torch && output.output) {
    fail_usage(
        fmt::format("ptsd cannot write the format {}: name the output *.pt or *.safetensors, "
                    "or use ptsd rewrite --to",
                    input.loaded().facts().format),
        *output.output);
  }
  if (!own || (*own == Container::Safetensors && torch)) return Container::Zip;
  return *own;
}

bool is_sharded(const Opened& input, const OutputOptions& output) {
  if (output.max_shard_size) return true;
  return input.loaded().facts().sharding && suffix_of(output).empty();
}

bool is_copy(const Draft& draft, const std::vector<Opened*>& inputs, const OutputOptions& output) {
  const Opened& input = *inputs.front();
  if (!is_unchanged(draft) || inputs.size() > 1 || output.changes_container()) return false;
  if (is_sharded(input, output))
    return !output.to || format_of(*output.to) == format_of(input.loaded().facts());
  if (input.files().size() > 1) return false;
  if (is_program(input)) return !output.to && suffix_of(output) != ".safetensors";
  const auto own = own_container(input);
  return own && *own != Container::Zip && *own == container_of(draft, input, output);
}

PlannedFile plan_file(Draft& draft, const std::vector<Opened*>& inputs, const OutputOptions& output,
                      const StateDictOptions& state_dict, format::SaveOptions options,
                      const Limits& limits) {
  PlannedFile file;
  if (is_copy(draft, inputs, output)) {
    refuse_zip_options(options);
    return copy_of(*inputs.front());
  }
  const Inputs loaded = loaded_of(inputs);
  if (is_sharded(*inputs.front(), output)) {
    refuse_zip_options(options);
    return plan_parts(draft, *inputs.front(), loaded, output, state_dict, limits);
  }
  const Container container = container_of(draft, *inputs.front(), output);
  file.format = format_of(container);
  if (container != Container::Zip) refuse_zip_options(options);
  output.check_for(container);
  file.leave_out_foreign(draft, container, output);
  if (container == Container::Safetensors) {
    format::refuse_loss(loaded, output.force);
    file.settled = settle(draft, loaded, limits);
    const format::Loaded* const settled = file.settled.get();
    file.save = std::make_unique<format::SafetensorsSave>(
        file.flatten(draft, loaded.front()->facts(), output, state_dict),
        format::Inputs(&settled, 1));
    return file;
  }
  options.root = root_of(output);
  options.force = output.force;
  if (container == Container::Legacy) {
    file.save = std::make_unique<format::LegacySave>(draft, loaded, output.force);
  } else {
    // torch.save's own; weights_only refuses the others.
    if (inputs.front()->loaded().archive() == nullptr) operation::convert_to_protocol2(draft);
    file.save = std::make_unique<format::TorchZipSave>(draft, loaded, options);
  }
  return file;
}

}  // namespace ptsd::command
