// SPDX-License-Identifier: Apache-2.0
#include "command/help.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace ptsd::command {
namespace {

constexpr std::size_t kTextColumn = 26;
constexpr std::size_t kWidth = 80;

// The words of `text`, filled to the width, from kTextColumn on.
std::string filled(std::string_view text) {
  std::string out;
  std::size_t column = kTextColumn;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (column > kTextColumn && column + 1 + word.size() > kWidth) {
      out += "\n" + std::string(kTextColumn, ' ');
      column = kTextColumn;
    } else if (column > kTextColumn) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out;
}

std::string row(const std::string& term, std::string_view text) {
  const bool fits = term.size() < kTextColumn;
  std::string out = term;
  out += fits ? std::string(kTextColumn - term.size(), ' ') : "\n" + std::string(kTextColumn, ' ');
  return out + filled(text) + "\n";
}

bool is_short(std::string_view name) {
  return name.size() == 2;
}

std::string term(const Option& option) {
  std::string out = is_short(option.names.front()) ? "  " : "      ";
  for (std::size_t i = 0; i < option.names.size(); ++i) {
    out += (i == 0 ? "" : ", ") + option.names[i];
  }
  switch (option.value) {
    case Option::Value::None: break;
    case Option::Value::Required: out += " " + option.value_name; break;
    case Option::Value::Optional: out += "[=" + option.value_name + "]"; break;
  }
  return out;
}

std::string usage(const Command& command, const Flags& flags) {
  std::string out = fmt::format("Usage: ptsd {} [OPTIONS]", command.name);
  for (const Positional& positional : flags.positionals()) {
    if (positional.least == 0) {
      out += fmt::format(" [{}{}]", positional.name, positional.most ? "" : "…");
      continue;
    }
    for (std::size_t i = 0; i < positional.least; ++i) {
      out += " " + positional.name;
    }
    if (!positional.most) out += "…";
  }
  return out + "\n";
}

std::vector<std::string> groups(const Flags& flags) {
  std::vector<std::string> names;
  for (const Option& option : flags.options()) {
    if (std::ranges::find(names, option.group) == names.end()) names.push_back(option.group);
  }
  return names;
}

std::string indented(std::string_view lines) {
  std::string out;
  while (!lines.empty()) {
    const std::size_t size = std::min(lines.find('\n'), lines.size() - 1) + 1;
    out += "  ";
    out += lines.substr(0, size);
    lines.remove_prefix(size);
  }
  return out;
}

}  // namespace

std::string overview(std::span<const Command* const> commands) {
  std::string out =
      "ptsd shows, compares and edits PyTorch checkpoints without running them.\n"
      "\n"
      "Usage: ptsd COMMAND [OPTIONS] FILE…\n"
      "\n"
      "Commands:\n";
  for (const Command* command : commands) {
    out += fmt::format("  {:<10}{}\n", command->name, command->summary);
  }
  return out +
         "\n"
         "FILE#PATH names a part of a checkpoint: ckpt.pt#model_state_dict; of a pickled module\n"
         "model.pt#~state_dict is the state dict.\n"
         "'ptsd COMMAND --help' says more and gives examples; 'ptsd --version' is the version.\n"
         "Exit status: 0 done or yes, 1 the answer is no, 2 could not do it.\n";
}

std::string help(const Command& command, const Flags& flags) {
  std::string out =
      fmt::format("ptsd {} - {}\n\n{}", command.name, command.summary, usage(command, flags));
  if (!flags.positionals().empty()) out += "\nArguments:\n";
  for (const Positional& positional : flags.positionals()) {
    out += row("  " + positional.name, positional.help);
  }
  for (const std::string& group : groups(flags)) {
    out += "\n" + group + ":\n";
    for (const Option& option : flags.options()) {
      if (option.group == group) out += row(term(option), option.help);
    }
  }
  if (!command.examples.empty()) out += "\nExamples:\n" + indented(command.examples);
  return out;
}

}  // namespace ptsd::command
