// SPDX-License-Identifier: Apache-2.0
#include "command/options.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/nearest.h"
#include "base/quote.h"

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
  flags.choice<Color>(
      "--color", color,
      {
          {"auto",   Color::Auto  },
          {"always", Color::Always},
          {"never",  Color::Never }
  },
      "when to use colour; auto: on a terminal, unless NO_COLOR is set");
  flags.number("--threads", threads, "N", "use at most N threads");
  flags.each(
      "--limit", "NAME=N", [this](std::string_view text) { set_limit(limits, text); },
      "set a bound on what the input may demand; ptsd(1) lists them");
}

bool CommonOptions::use_color(bool is_terminal) const {
  if (color != Color::Auto) return color == Color::Always;
  const char* no_color = std::getenv("NO_COLOR");
  return is_terminal && (no_color == nullptr || *no_color == '\0');
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

}  // namespace ptsd::command
