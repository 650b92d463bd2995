// SPDX-License-Identifier: Apache-2.0
#include "command/container.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "command/container_names.h"
#include "command/planned_file.h"

namespace ptsd::command {

using checkpoint::Draft;
using format::Opened;

namespace {

constexpr auto kTorchSuffixes =
    std::to_array<std::string_view>({".pt", ".pth", ".bin", ".ckpt", ".pkl"});

bool is_torch_suffix(std::string_view suffix) {
  return std::ranges::find(kTorchSuffixes, suffix) != kTorchSuffixes.end();
}

// What else is behind a dot may be a part of a directory's name: llama-3.1.
bool is_file_suffix(std::string_view suffix) {
  return suffix == ".safetensors" || suffix == ".json" || is_torch_suffix(suffix);
}

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

[[noreturn]] void fail_program(const Draft& draft) {
  draft.base.fail(
      Error::Kind::Conflict,
      "an archive with code, which an edit cannot change: ptsd rewrite --to pt writes the state "
      "dict");
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
  const bool torch = is_torch_suffix(suffix);
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
  return input.loaded().facts().sharding && !is_file_suffix(suffix_of(output));
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

}  // namespace ptsd::command
