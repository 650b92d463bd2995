// SPDX-License-Identifier: Apache-2.0
#include "command/plan.h"

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "command/container.h"
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

// As PyTorch names the root of an archive.
std::string root_of(const OutputOptions& output) {
  const std::string stem = std::filesystem::path(output.output.value_or("")).stem().string();
  return stem.empty() ? "archive" : stem;
}

void plan_safetensors(PlannedFile& file, const Draft& draft, const Inputs& loaded,
                      const OutputOptions& output, const StateDictOptions& state_dict,
                      const Limits& limits) {
  format::refuse_loss(loaded, output.force);
  file.settled = settle(draft, loaded, limits);
  const format::Loaded* const settled = file.settled.get();
  file.save = std::make_unique<format::SafetensorsSave>(
      file.flatten(draft, loaded.front()->facts(), output, state_dict),
      format::Inputs(&settled, 1));
}

void plan_archive(PlannedFile& file, Draft& draft, const Inputs& loaded,
                  const OutputOptions& output, format::SaveOptions options) {
  options.root = root_of(output);
  options.force = output.force;
  // torch.save's own protocol; weights_only refuses the others.
  if (loaded.front()->archive() == nullptr) operation::convert_to_protocol2(draft);
  file.save = std::make_unique<format::TorchZipSave>(draft, loaded, options);
}

}  // namespace

PlannedFile plan_file(Draft& draft, const std::vector<Opened*>& inputs, const OutputOptions& output,
                      const StateDictOptions& state_dict, const format::SaveOptions& options,
                      const Limits& limits) {
  const bool copies = is_copy(draft, inputs, output);
  const bool sharded = is_sharded(*inputs.front(), output);
  if (copies || sharded) refuse_zip_options(options);
  if (copies) return copy_of(*inputs.front());
  const Inputs loaded = loaded_of(inputs);
  if (sharded) return plan_parts(draft, *inputs.front(), loaded, output, state_dict, limits);
  const Container container = container_of(draft, *inputs.front(), output);
  if (container != Container::Zip) refuse_zip_options(options);
  output.check_for(container);
  PlannedFile file;
  file.format = format_of(container);
  file.leave_out_foreign(draft, container, output);
  switch (container) {
    case Container::Safetensors:
      plan_safetensors(file, draft, loaded, output, state_dict, limits);
      break;
    case Container::Legacy:
      file.save = std::make_unique<format::LegacySave>(draft, loaded, output.force);
      break;
    case Container::Zip: plan_archive(file, draft, loaded, output, options); break;
  }
  return file;
}

}  // namespace ptsd::command
