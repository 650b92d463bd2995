// SPDX-License-Identifier: Apache-2.0
#include "command/options.h"

#include <algorithm>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/nearest.h"
#include "base/parallel.h"
#include "base/quote.h"
#include "format/shard_plan.h"

namespace ptsd::command {
namespace {

void set_limit(Limits& limits, std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) {
    fail_usage(fmt::format("--limit: {} is not of the form NAME=N", quote(text)));
  }
  const std::string_view name = text.substr(0, equals);
  const auto* field = std::ranges::find(kLimitFields, name, &LimitField::name);
  if (field == kLimitFields.end()) {
    std::vector<std::string> names;
    for (const LimitField& each : kLimitFields) {
      names.emplace_back(each.name);
    }
    fail_usage(fmt::format("--limit: no limit is called {}, only {}{}", quote(name),
                           fmt::join(names, ", "), did_you_mean(name, names)));
  }
  limits.*field->field = parse_number("--limit", text.substr(equals + 1));
}

}  // namespace

void CommonOptions::declare(Flags& flags) {
  flags.group("Common options");
  flags.flag("--json", json, "print one JSON object; errors too, on stderr");
  flags.flag("-q,--quiet", quiet, "print errors only");
  flags.flag("-v,--verbose", verbose, "say more on stderr");
  flags.flag("--strict", strict, "exit with 1 if there are warnings");
  flags.choice<report::Color>("--color", color,
                              {
                                  {"auto",   report::Color::Auto  },
                                  {"always", report::Color::Always},
                                  {"never",  report::Color::Never }
  },
                              "when to use colour; auto: on a terminal, unless NO_COLOR is set");
  flags.number("--threads", threads, "N", "use at most N threads");
  flags.each(
      "--limit", "NAME=N", [this](std::string_view text) { set_limit(limits, text); },
      "set a bound on what the input may demand; ptsd(1) lists them");
}

unsigned CommonOptions::thread_count() const {
  constexpr std::uint64_t kDefaultMost = 8;
  constexpr std::uint64_t kMost = 256;
  const std::uint64_t wanted =
      threads.value_or(std::min<std::uint64_t>(usable_threads(), kDefaultMost));
  return static_cast<unsigned>(std::clamp<std::uint64_t>(wanted, 1, kMost));
}

void SelectionOptions::declare(Flags& flags) {
  flags.group("Selection");
  flags.texts("--include", include, "GLOB", "only names that match the glob, or 're:REGEX'");
  flags.texts("--exclude", exclude, "GLOB", "no names that match; wins over --include");
  flags.texts("--names-from", names_from, "FILE", "only the names in FILE, one a line");
  flags.list("--dtype", dtypes, "DTYPE,...", "only tensors of these dtypes");
  flags.text("--shape", shape, "SHAPE", "only tensors of this shape; '*,512' leaves one open");
  flags.flag("--allow-unmatched", allow_unmatched, "let a rule match nothing");
}

void StateDictOptions::declare(Flags& flags) {
  flags.group("State dict");
  flags.texts("--in", in, "PATH", "edit the state dict at PATH; '*' for all of them");
}

void OutputOptions::declare_format(Flags& flags) {
  flags.group("Format of the output");
  flags.choice<std::optional<Container>>("--to", to,
                                         {
                                             {"pt",          Container::Zip        },
                                             {"legacy",      Container::Legacy     },
                                             {"safetensors", Container::Safetensors},
  },
                                         "another format; also -o NAME.safetensors");
  flags.choice<Shared>("--shared", shared,
                       {
                           {"alias", Shared::Alias},
                           {"clone", Shared::Clone},
  },
                       "tied tensors in safetensors: one and its aliases (default), or copies");
  flags.each(
      "--metadata", "KEY=VALUE",
      [this](std::string_view text) {
        const std::size_t equals = text.find('=');
        if (equals == std::string_view::npos || equals == 0) fail_usage("--metadata: KEY=VALUE");
        metadata.emplace_back(text.substr(0, equals), text.substr(equals + 1));
      },
      "a text for the header of a safetensors file");
  flags.each(
      "--max-shard-size", "SIZE",
      [this](std::string_view text) {
        max_shard_size = format::parse_shard_size(text);
        if (!max_shard_size) fail_usage("--max-shard-size: a number, or one with KB, MB, GB or TB");
      },
      "split into parts of at most SIZE, such as 2GB; OUT is a new directory");
}

void OutputOptions::check_for(Container container) const {
  if (container == Container::Safetensors || !is_for_safetensors()) return;
  fail_usage(
      fmt::format("{} is for safetensors files", metadata.empty() ? "--shared" : "--metadata"));
}

void OutputOptions::declare(Flags& flags) {
  flags.group("Output");
  flags.text("-o,--output", output, "FILE", "write to FILE, which must not exist");
  flags.optional_text("--in-place", in_place, "SUFFIX",
                      "replace the input; with SUFFIX, keep the original under that name");
  flags.flag("--force", force, "overwrite FILE, and drop what an edit cannot keep");
  flags.flag("--dry-run", dry_run, "print what would be done, and write nothing");
  flags.flag("--verify-output", verify, "read all that was written again, and check it");
  flags.flag("--break-links", break_links, "replace a file that has other hard links");
  flags.flag("--drop-other", drop_other,
             "leave out tensors and values that the format of the output has no place for");
  flags.check([this] {
    if (output && in_place) fail_usage("-o and --in-place exclude each other");
    if (in_place && max_shard_size) {
      fail_usage("--max-shard-size writes a new directory: use -o");
    }
    if (!output && !in_place && !dry_run) fail_usage("-o FILE or --in-place is missing");
    if (in_place && in_place->find('/') != std::string::npos) {
      fail_usage("--in-place: a suffix cannot contain '/'");
    }
  });
}

}  // namespace ptsd::command
