// SPDX-License-Identifier: Apache-2.0
#include "command/edit.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/quote.h"
#include "command/container.h"
#include "command/plan.h"
#include "command/warn.h"
#include "file/destination.h"
#include "file/output_file.h"
#include "file/output_folder.h"
#include "report/numbers.h"

namespace ptsd::command {

using checkpoint::Draft;
using format::Opened;

namespace {

[[noreturn]] void fail_damage(const std::vector<Warning>& found) {
  const std::string more = found.size() > 1 ? fmt::format(" (and {} more)", found.size() - 1) : "";
  throw Error(Error::Kind::Conflict, found.front().where,
              found.front().message + more + "; an edit would lose that: --force goes on");
}

// What a new archive would not hold, or would hide, is not passed over in silence.
void refuse_damage(const Opened& opened) {
  const std::vector<Warning> found = opened.loaded().audit();
  if (!found.empty()) fail_damage(found);
}

std::vector<const file::InputFile*> files_of(const std::vector<Opened*>& inputs) {
  std::vector<const file::InputFile*> files;
  for (const Opened* input : inputs) {
    const std::vector<const file::InputFile*> more = input->files();
    files.insert(files.end(), more.begin(), more.end());
  }
  return files;
}

void refuse_input_as_output(const std::vector<Opened*>& inputs, const std::string& path) {
  if (is_among(files_of(inputs), path)) {
    fail_usage("is an input; --in-place replaces it, once all is written", path);
  }
}

file::Target target_of(const OutputOptions& output, const std::vector<Opened*>& inputs) {
  if (output.in_place) {
    file::Target target = {.path = inputs.front()->address().file,
                           .in_place = true,
                           .break_links = output.break_links};
    if (!output.in_place->empty()) target.backup_suffix = *output.in_place;
    return target;
  }
  return {.path = *output.output, .overwrite = output.force, .break_links = output.break_links};
}

void refuse_part_in_place(const std::vector<Opened*>& inputs) {
  if (inputs.size() > 1) fail_usage("--in-place with more than one input: use -o");
  if (!inputs.front()->address().path.empty()) {
    fail_usage("--in-place would replace the file by a part of it: use -o");
  }
  if (inputs.front()->loaded().facts().sharding || inputs.front()->files().size() > 1) {
    fail_usage("--in-place with a checkpoint in several files: use -o",
               inputs.front()->address().file);
  }
}

// Before anything is read that takes time; a plan that could not be carried out is none.
void check_target(const OutputOptions& output, const std::vector<Opened*>& inputs,
                  bool nothing_to_do) {
  if (output.output) refuse_input_as_output(inputs, *output.output);
  if (output.in_place) refuse_part_in_place(inputs);
  if (nothing_to_do || (!output.output && !output.in_place)) return;
  if (is_sharded(*inputs.front(), output)) return file::OutputFolder::check(*output.output);
  const file::Destination destination(target_of(output, inputs));
}

std::vector<Warning> stale_warnings(const file::OutputFile& file) {
  std::vector<Warning> warnings;
  for (const std::string& name : file.stale()) {
    warnings.push_back({{.file = name}, "beside the output: left by a run that was killed"});
  }
  return warnings;
}

std::vector<Warning> write(format::Save& save, const std::vector<Opened*>& inputs,
                           const OutputOptions& output, const CommonOptions& common) {
  file::OutputFile file(target_of(output, inputs));
  std::vector<Warning> warnings = stale_warnings(file);
  file.reserve(save.size());
  save.write(file);
  save.verify(file.written(), output.verify, common.limits);
  const std::vector<Warning> lost = file.commit(files_of(inputs));
  warnings.insert(warnings.end(), lost.begin(), lost.end());
  return warnings;
}

// A file in a directory that has no name yet.
std::vector<Warning> write_part(format::Save& save, const std::string& path,
                                const std::vector<Opened*>& inputs, const OutputOptions& output,
                                const CommonOptions& common) {
  file::OutputFile file({.path = path});
  file.reserve(save.size());
  save.write(file);
  save.verify(file.written(), output.verify, common.limits);
  return file.commit(files_of(inputs));
}

std::vector<Warning> write(format::PlannedFiles& parts, const std::vector<Opened*>& inputs,
                           const OutputOptions& output, const CommonOptions& common) {
  file::OutputFolder folder(*output.output);
  std::vector<Warning> warnings;
  for (format::PlannedFiles::File& part : parts.files) {
    const std::vector<Warning> found =
        write_part(*part.save, folder.path_of(part.name), inputs, output, common);
    warnings.insert(warnings.end(), found.begin(), found.end());
  }
  folder.commit();
  return warnings;
}

// What tensors are besides their elements goes into no safetensors file.
void warn_of_unstored(report::EditReport& report) {
  struct Deed {
    std::string_view count;
    std::string_view what;
  };
  constexpr auto kUnstored = std::to_array<Deed>({
      {"moved",         "devices"         },
      {"requires_grad", "requires_grad"   },
      {"globals",       "names of classes"},
  });
  for (const Deed& deed : kUnstored) {
    const auto found = std::ranges::find(report.counts, deed.count,
                                         &std::pair<std::string_view, std::uint64_t>::first);
    if (found == report.counts.end() || found->second == 0) continue;
    report.warnings.push_back(
        {.where = {.file = report.output.value_or("")},
         .message = fmt::format("safetensors holds no {}: that change is not in it", deed.what)});
  }
}

// Into what it went, and which state dict, where that is news.
void tell_container(const PlannedFile& planned, std::string_view before,
                    report::EditReport& report) {
  std::string whose;
  if (planned.state_dict && report.state_dicts.empty()) {
    report.state_dicts.push_back(*planned.state_dict);
    if (!planned.state_dict->empty()) whose = quote(*planned.state_dict) + " ";
  }
  if (planned.format == before) return;
  report.changed = true;
  report.what += fmt::format(", {}as {}", whose, planned.format);
}

void tell(const report::EditReport& report, const CommonOptions& common) {
  if (common.json || report.dry_run) {
    report::Output output(common.color);
    if (common.json) {
      write_edit_json(output, report);
    } else {
      write_edit_plan(output, report);
    }
    output.finish();
  }
  if (!common.json && !common.quiet) std::fputs(edit_summary(report).c_str(), stderr);
}

}  // namespace

Draft draft_of(Opened& opened) {
  checkpoint::Checkpoint& base = opened.checkpoint();
  const bool part = opened.root() != base.root();
  return {.base = base,
          .root = opened.root(),
          .pickle_changed = part,
          .drop_unused = part,
          .protocol = base.pickle().protocol,
          .taken_keys = opened.loaded().orphan_keys()};
}

std::string describe(const std::vector<checkpoint::StateDict>& state_dicts) {
  std::string text;
  for (const checkpoint::StateDict& state_dict : state_dicts) {
    if (state_dict.path.empty()) continue;
    text += fmt::format("{}{}", text.empty() ? " in " : ", ", quote(state_dict.path));
  }
  return text;
}

Exit save(Draft& draft, const std::vector<Opened*>& inputs, const SaveRequest& request,
          report::EditReport report) {
  const OutputOptions& output = request.output;
  const bool nothing_to_do = output.in_place && !report.changed;
  check_target(output, inputs, nothing_to_do);
  const bool keeps_all = output.force || is_copy(draft, inputs, output);
  for (const Opened* input : inputs) {
    if (!keeps_all) refuse_damage(*input);
    report.inputs.push_back(input->address().file);
    const std::vector<Warning> warnings = input->loaded().warnings();
    report.warnings.insert(report.warnings.end(), warnings.begin(), warnings.end());
  }
  report.dry_run = output.dry_run;
  report.output = output.in_place ? inputs.front()->address().file : output.output;
  PlannedFile planned =
      plan_file(draft, inputs, output, request.state_dict, request.format, request.common.limits);
  report.warnings.insert(report.warnings.end(), planned.warnings.begin(), planned.warnings.end());
  for (const format::PlannedFiles::File& part : planned.parts.files) {
    report.bytes += part.save->size();
  }
  if (planned.save) report.bytes = planned.save->size();
  report.format = planned.format;
  report.left_alone = nothing_to_do;
  if (planned.tensors_alone) warn_of_unstored(report);
  tell_container(planned, inputs.front()->loaded().facts().format, report);
  if (!planned.save) {
    report.what += fmt::format(", {}", report::counted(planned.parts.files.size(), "file"));
  }
  if (!output.dry_run && !nothing_to_do) {
    const std::vector<Warning> found = planned.save
                                           ? write(*planned.save, inputs, output, request.common)
                                           : write(planned.parts, inputs, output, request.common);
    report.warnings.insert(report.warnings.end(), found.begin(), found.end());
    report.written = true;
  }
  tell(report, request.common);
  return warn(report.warnings, request.common);
}

}  // namespace ptsd::command
