// SPDX-License-Identifier: Apache-2.0
#include "command/rewrite.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/quote.h"
#include "command/edit.h"
#include "command/select.h"
#include "operation/cast.h"
#include "operation/relayout.h"
#include "operation/rename_rules.h"
#include "operation/retag.h"
#include "report/numbers.h"

namespace ptsd::command {
namespace {

struct Options {
  std::string file;
  std::vector<std::string> casts;
  bool saturate = false;
  bool allow_inf = false;
  operation::RelayoutOptions layout;
  std::optional<bool> requires_grad;
  std::optional<std::string> device;
  std::vector<std::pair<std::string, std::string>> globals;
  bool protocol2 = false;
  bool no_crc = false;
  std::optional<std::uint64_t> align;
  bool allow_unmatched = false;
  StateDictOptions state_dict;
  OutputOptions output;
  CommonOptions common;

  void declare_edits(Flags& flags);
};

void Options::declare_edits(Flags& flags) {
  flags.group("Tensors of the state dict");
  flags.texts("--cast", casts, "DTYPE",
              "floating tensors become DTYPE; 'GLOB=>DTYPE': those with such names");
  flags.flag("--saturate", saturate, "values that DTYPE cannot hold become its largest");
  flags.flag("--allow-inf", allow_inf, "values that DTYPE cannot hold become infinite");
  flags.flag("--shrink", layout.shrink, "cut storages to what their tensors use");
  flags.flag("--contiguous", layout.contiguous, "row-major strides");
  flags.flag("--untie", layout.untie, "a storage of its own for each tensor that shares one");
  flags.each(
      "--requires-grad", "BOOL",
      [this](std::string_view text) {
        if (text != "true" && text != "false") fail_usage("--requires-grad: true or false");
        requires_grad = text == "true";
      },
      "set requires_grad: true or false");
  flags.flag("--allow-unmatched", allow_unmatched, "let a rule match nothing");
  state_dict.declare(flags);
  flags.group("The whole checkpoint");
  flags.text("--device", device, "TAG", "the location of all storages, such as cpu");
  flags.each(
      "--map-global", "'OLD=>NEW'",
      [this](std::string_view text) {
        globals.push_back(operation::parse_arrow("--map-global", text));
      },
      "another name for a class or function: module.name");
  flags.each(
      "--protocol", "2",
      [this](std::string_view text) {
        if (text != "2") fail_usage("--protocol: only 2 can be asked for");
        protocol2 = true;
      },
      "encode the pickle as weights_only accepts it");
  flags.flag("--no-crc", no_crc, "store no checksums");
  flags.number("--align", align, "N", "begin records at multiples of N bytes");
  flags.check([this] {
    if (align && *align == 0) fail_usage("--align: 0 is no alignment");
    if (saturate && allow_inf) fail_usage("--saturate and --allow-inf exclude each other");
  });
}

operation::CastRule cast_rule(const std::string& text) {
  if (text.find("=>") == std::string::npos) return {std::nullopt, parse_dtype("--cast", text)};
  auto [names, dtype] = operation::parse_arrow("--cast", text);
  return {operation::Pattern(std::move(names)), parse_dtype("--cast", dtype)};
}

operation::CastOptions cast_options(const Options& options) {
  using Overflow = operation::CastOptions::Overflow;
  operation::CastOptions cast;
  cast.allow_unmatched = options.allow_unmatched;
  for (const std::string& text : options.casts) {
    cast.rules.push_back(cast_rule(text));
  }
  if (options.saturate) cast.overflow = Overflow::Saturate;
  if (options.allow_inf) cast.overflow = Overflow::Allow;
  return cast;
}

// What was done, for the summary and for JSON.
class Deeds {
 public:
  void add(std::string_view key, std::uint64_t count, std::string text) {
    counts_.emplace_back(key, count);
    text_ += fmt::format("{}{}", text_.empty() ? "" : ", ", text);
  }

  void set_state_dicts(const std::vector<checkpoint::StateDict>& chosen) {
    state_dicts_ = paths_of(chosen);
  }

  const std::vector<std::string>& state_dicts() const { return state_dicts_; }
  std::string text() const { return text_.empty() ? "copied" : text_; }
  std::vector<std::pair<std::string_view, std::uint64_t>> counts() const { return counts_; }

 private:
  std::string text_;
  std::vector<std::pair<std::string_view, std::uint64_t>> counts_;
  std::vector<std::string> state_dicts_;
};

using StateDicts = std::vector<checkpoint::StateDict>;

bool wants_relayout(const Options& options) {
  return options.layout.shrink || options.layout.contiguous || options.layout.untie;
}

// None where no edit asks for them.
StateDicts chosen_by(const Options& options, const checkpoint::Draft& draft) {
  if (options.casts.empty() && !options.requires_grad && !wants_relayout(options)) return {};
  return choose_state_dicts(draft.base, draft.root, options.state_dict.in);
}

void edit_state_dicts(const Options& options, checkpoint::Draft& draft, const StateDicts& chosen,
                      Deeds& deeds) {
  if (!options.casts.empty()) {
    const operation::Casted done = operation::cast(draft, chosen, cast_options(options));
    deeds.add("cast", done.tensors,
              fmt::format("cast {}{}", report::counted(done.tensors, "tensor"), describe(chosen)));
  }
  if (options.requires_grad) {
    const std::uint64_t done = operation::set_requires_grad(draft, chosen, *options.requires_grad);
    deeds.add("requires_grad", done,
              fmt::format("set requires_grad of {}{}", report::counted(done, "tensor"),
                          describe(chosen)));
  }
}

void edit_whole(const Options& options, checkpoint::Draft& draft, Deeds& deeds) {
  if (options.device) {
    const std::uint64_t done = operation::set_location(draft, *options.device);
    deeds.add(
        "moved", done,
        fmt::format("moved {} to {}", report::counted(done, "storage"), quote(*options.device)));
  }
  if (options.globals.empty()) return;
  std::uint64_t mapped = 0;
  std::vector<std::string> texts;
  for (const auto& [from, to] : options.globals) {
    mapped += operation::map_global(draft, from, to);
    texts.push_back(fmt::format("mapped {} to {}", quote(from), quote(to)));
  }
  deeds.add("globals", mapped, fmt::format("{}", fmt::join(texts, ", ")));
}

void convert_pickle(const Options& options, checkpoint::Draft& draft, Deeds& deeds) {
  if (!options.protocol2) return;
  const unsigned before = draft.protocol;
  const bool done = operation::convert_to_protocol2(draft);
  deeds.add("converted", done ? 1 : 0,
            done ? fmt::format("converted protocol {} to 2", before) : "was in protocol 2");
}

void relayout(const Options& options, checkpoint::Draft& draft, const StateDicts& chosen,
              Deeds& deeds) {
  if (!wants_relayout(options)) return;
  const operation::Relaid done = operation::relayout(draft, chosen, options.layout);
  if (options.layout.untie) {
    deeds.add("untied", done.untied,
              fmt::format("untied {}{}", report::counted(done.untied, "tensor"), describe(chosen)));
  }
  if (options.layout.contiguous) {
    deeds.add("contiguous", done.contiguous,
              fmt::format("made {}{} contiguous", report::counted(done.contiguous, "tensor"),
                          describe(chosen)));
  }
  if (options.layout.shrink) {
    deeds.add(
        "shrunk", done.shrunk,
        fmt::format("shrank {}{}", report::counted(done.shrunk, "storage"), describe(chosen)));
  }
}

Exit run(const Options& options) {
  format::Opened opened(format::parse_address(options.file), options.common.limits);
  checkpoint::Draft draft = draft_of(opened);
  Deeds deeds;
  if (draft.pickle_changed) {
    deeds.add("extracted", 1, "extracted " + quote(opened.address().path));
  }
  if (!options.casts.empty() && opened.loaded().facts().byteorder == "big") {
    draft.base.fail(Error::Kind::Unsupported, "a big-endian checkpoint cannot be cast yet");
  }
  const StateDicts chosen = chosen_by(options, draft);
  deeds.set_state_dicts(chosen);
  edit_state_dicts(options, draft, chosen, deeds);
  edit_whole(options, draft, deeds);
  relayout(options, draft, chosen, deeds);
  convert_pickle(options, draft, deeds);
  report::EditReport report = {
      .command = "rewrite",
      .changed = draft.pickle_changed || options.no_crc || options.align ||
                 options.output.changes_container(),
      .what = deeds.text(),
      .counts = deeds.counts(),
      .state_dicts = deeds.state_dicts(),
  };
  const format::SaveOptions format = {.checksums = !options.no_crc, .alignment = options.align};
  return save(draft, {&opened}, {options.output, options.state_dict, options.common, format},
              std::move(report));
}

}  // namespace

const Command rewrite_command = {
    .name = "rewrite",
    .summary = "write the same checkpoint in another way",
    .examples =
        "# the weights of a training checkpoint, in a file of their own\n"
        "ptsd rewrite 'training.pt#model_state_dict' -o weights.pt\n"
        "# those of a whole pickled model\n"
        "ptsd rewrite 'module.pt#~state_dict' -o state.pt\n"
        "# half the size\n"
        "ptsd rewrite model.pt --cast bfloat16 -o half.pt\n"
        "# another format, and parts of at most 2 GB\n"
        "ptsd rewrite model.pt -o model.safetensors\n"
        "ptsd rewrite model.pt --to safetensors --max-shard-size 2GB -o parts\n"
        "# loads where there is no GPU\n"
        "ptsd rewrite model.pt --device cpu -o cpu.pt\n"
        "# a copy, laid out as torch.save does it, and read back\n"
        "ptsd rewrite rezipped.pt -o model.pt --verify-output\n",
    .declare = [](Flags& flags) -> Action {
      auto options = std::make_shared<Options>();
      flags.file("IN", options->file, "the checkpoint, or FILE#PATH for a part of it");
      options->declare_edits(flags);
      options->output.declare_format(flags);
      options->output.declare(flags);
      options->common.declare(flags);
      return [options] { return run(*options); };
    },
};

}  // namespace ptsd::command
