// SPDX-License-Identifier: Apache-2.0
#include "command/cat.h"

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/nearest.h"
#include "base/quote.h"
#include "checkpoint/listing.h"
#include "checkpoint/resolve.h"
#include "command/options.h"
#include "command/payload.h"
#include "command/warn.h"
#include "file/output_file.h"
#include "format/npy.h"
#include "format/open.h"
#include "operation/slice.h"
#include "operation/values.h"
#include "report/cat.h"
#include "report/numbers.h"
#include "report/tensor_repr.h"
#include "report/tensor_text.h"
#include "tensor/convert.h"

namespace ptsd::command {

using checkpoint::Checkpoint;
using report::CatItem;
using tensor::DType;

namespace {

struct Options {
  std::string file;
  std::vector<std::string> paths;
  bool full = false;
  std::optional<std::string> slice;
  std::optional<std::string> npy;
  bool force = false;
  CommonOptions common;
};

// The paths that end in what was typed, or the nearest ones.
std::string suggestion(const Checkpoint& checkpoint, pickle::NodeId root, const std::string& path) {
  const checkpoint::Listing listing = list(checkpoint, root, checkpoint::Want::Everything);
  std::vector<std::string> all;
  std::string inside;
  for (const auto* entries : {&listing.tensors(), &listing.others()}) {
    for (std::size_t i = 0; i < entries->size(); ++i) {
      all.emplace_back((*entries)[i].path);
      if (inside.empty() && all.back().ends_with("/" + path)) inside = all.back();
    }
  }
  if (!inside.empty()) return "; did you mean " + quote(inside) + "?";
  return did_you_mean(path, all);
}

CatItem find(const format::Opened& opened, const std::string& path) {
  const Checkpoint& checkpoint = opened.checkpoint();
  const std::optional<pickle::NodeId> node = resolve(checkpoint, opened.root(), path);
  if (!node) {
    fail_usage("nothing at " + quote(path) + suggestion(checkpoint, opened.root(), path),
               opened.address().file);
  }
  return {.path = path, .node = *node, .tensor = checkpoint.tensors().tensor_of(*node)};
}

void take_slice(CatItem& item, const std::string& text, const operation::Payload& payload) {
  if (!item.tensor) fail_usage("--slice of " + quote(item.path) + ", which is no tensor");
  const checkpoint::Tensors& tensors = payload.checkpoint.tensors();
  const checkpoint::Tensor& tensor = tensors[*item.tensor];
  report::require_strided(payload, tensor, item.path);
  item.view = operation::slice(text, checkpoint::geometry_of(tensors, tensor), item.path);
}

std::vector<CatItem> find_all(const format::Opened& opened, const Options& options,
                              const operation::Payload& payload) {
  std::vector<CatItem> items;
  for (const std::string& path : options.paths) {
    items.push_back(find(opened, path));
  }
  if (items.empty()) {
    items.push_back({.path = "",
                     .node = opened.root(),
                     .tensor = opened.checkpoint().tensors().tensor_of(opened.root())});
  }
  if (options.slice) {
    for (CatItem& item : items) {
      take_slice(item, *options.slice, payload);
    }
  }
  return items;
}

void require_npy(const operation::Payload& payload, const CatItem& item) {
  if (!item.tensor) fail_usage("--npy of " + quote(item.path) + ", which is no tensor");
  const checkpoint::Tensor& tensor = payload.checkpoint.tensors()[*item.tensor];
  if (!operation::has_elements(payload, tensor)) {
    fail_usage("--npy of " + quote(item.path) + ", which has no elements in an array");
  }
  if (format::has_npy_dtype(tensor.dtype)) return;
  const DType to = tensor::is_complex(tensor.dtype) ? DType::Complex64 : DType::Float32;
  const std::string advice =
      tensor::can_convert(tensor.dtype, to)
          ? fmt::format("; cast it first, with `ptsd rewrite --cast {}`", tensor::name(to))
          : "";
  fail_usage(fmt::format("--npy of {}: numpy has no {}{}", quote(item.path),
                         tensor::name(tensor.dtype), advice));
}

// Returns what could not be kept of a file that is overwritten.
std::vector<Warning> write_npy(const format::Opened& opened, const Options& options,
                               const operation::Payload& payload, const CatItem& item) {
  require_npy(payload, item);
  const std::vector<const file::InputFile*> inputs = opened.files();
  if (is_among(inputs, *options.npy)) fail_usage("is the input", *options.npy);
  const checkpoint::Tensors& tensors = payload.checkpoint.tensors();
  const checkpoint::Tensor& tensor = tensors[*item.tensor];
  const checkpoint::Geometry geometry =
      item.view ? item.view->geometry() : checkpoint::geometry_of(tensors, tensor);
  file::OutputFile file({.path = *options.npy, .overwrite = options.force});
  const std::unique_ptr<ByteSource> elements =
      operation::stored_elements(payload, tensor, geometry);
  file.reserve(elements->size());
  format::write_npy(file, tensor.dtype, geometry.shape, *elements);
  const std::uint64_t bytes = file.position();
  std::vector<Warning> lost = file.commit(inputs);
  if (options.common.quiet) return lost;
  const std::string text = fmt::format("ptsd: {}: {} {}, {} bytes written\n", escape(*options.npy),
                                       tensor::name(tensor.dtype),
                                       report::shape_text(geometry.shape), report::grouped(bytes));
  std::fputs(text.c_str(), stderr);
  return lost;
}

Exit run(const Options& options) {
  const format::Opened opened(format::parse_address(options.file), options.common.limits);
  const operation::Payload payload = payload_of(opened);
  report::CatReport report = {.path = opened.address().file,
                              .subtree = opened.address().path,
                              .loaded = opened.loaded(),
                              .payload = payload,
                              .items = find_all(opened, options, payload),
                              .full = options.full,
                              .warnings = opened.loaded().warnings()};
  if (options.npy) {
    const std::vector<Warning> lost = write_npy(opened, options, payload, report.items.front());
    report.warnings.insert(report.warnings.end(), lost.begin(), lost.end());
    return warn(report.warnings, options.common);
  }
  report::Output output(options.common.color);
  if (options.common.json) {
    write_cat_json(output, report);
  } else {
    write_cat_text(output, report);
  }
  opened.check_unchanged();
  output.finish();
  return warn(report.warnings, options.common);
}

}  // namespace

const Command cat_command = {
    .name = "cat",
    .summary = "print a value: a tensor as PyTorch does, anything else as a tree",
    .examples =
        "# a tensor, as print() shows it\n"
        "ptsd cat model.pt encoder.0.weight\n"
        "# every element of a corner of it\n"
        "ptsd cat --full --slice '0:3, -2:' model.pt encoder.0.weight\n"
        "# what is not a tensor\n"
        "ptsd cat training.pt epoch optimizer_state_dict/param_groups\n"
        "# for numpy, and for a script\n"
        "ptsd cat --npy weight.npy model.pt encoder.0.weight\n"
        "ptsd cat --json training.pt epoch | jq '.values[0].value'\n",
    .declare = [](Flags& flags) -> Action {
      auto options = std::make_shared<Options>();
      flags.file("FILE", options->file, "the checkpoint, or FILE#PATH for a part of it");
      flags.files("PATH", options->paths, "the values, as ls spells them; without one, the whole",
                  0);
      flags.flag("--full", options->full, "every element, however many there are");
      flags.text("--slice", options->slice, "INDEX",
                 "a part of the tensors: integers, slices, '...' and None, as in Python");
      flags.text("--npy", options->npy, "OUT", "write the tensor to a .npy file instead");
      flags.flag("--force", options->force, "overwrite OUT");
      options->common.declare(flags);
      flags.check([options] {
        if (!options->npy) {
          if (options->force) fail_usage("--force goes with --npy");
          return;
        }
        if (options->common.json) fail_usage("--npy and --json do not go together");
        if (options->paths.size() > 1) fail_usage("--npy takes one PATH");
      });
      return [options] { return run(*options); };
    },
};

}  // namespace ptsd::command
