// SPDX-License-Identifier: Apache-2.0
#include "command/command_line.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <fmt/format.h>

#include "base/nearest.h"
#include "base/quote.h"
#include "command/flags.h"
#include "command/help.h"
#include "command/part_arguments.h"
#include "report/output.h"

namespace ptsd::command {
namespace {

// CLI11 splits the command line into options, values and the rest; what they mean, and what is
// said about mistakes, is ours, so that it does not change with CLI11's version.

// What CLI11 reports for an option that was given without a value.
constexpr std::string_view kBare = "\x1f";

Action print(std::string text) {
  return [text = std::move(text)] {
    report::Output output;
    output.write(text);
    output.finish();
    return Exit::Yes;
  };
}

std::vector<std::string> long_names(const Flags& flags) {
  std::vector<std::string> names;
  for (const Option& option : flags.options()) {
    if (option.names.back().starts_with("--")) names.push_back(option.names.back());
  }
  return names;
}

const Option* find_option(const Flags& flags, std::string_view name) {
  const auto found = std::ranges::find_if(flags.options(), [name](const Option& option) {
    return std::ranges::find(option.names, name) != option.names.end();
  });
  return found == flags.options().end() ? nullptr : &*found;
}

// "--name=" as two arguments: CLI11 would take the argument after it for the value.
std::vector<std::string> split_empty_values(const Flags& flags,
                                            const std::vector<std::string>& arguments) {
  std::vector<std::string> out;
  bool options_ended = false;
  for (const std::string& argument : arguments) {
    options_ended = options_ended || argument == "--";
    const std::string name = argument.substr(0, argument.size() - (argument.empty() ? 0 : 1));
    const Option* option =
        !options_ended && argument.ends_with('=') ? find_option(flags, name) : nullptr;
    if (option != nullptr && option->value == Option::Value::Required) {
      out.insert(out.end(), {name, ""});
    } else {
      out.push_back(argument);
    }
  }
  return out;
}

[[noreturn]] void fail_unknown_option(const Flags& flags, std::string_view argument) {
  const std::string name(argument.substr(0, argument.find('=')));
  fail_usage(
      fmt::format("unknown option {}{}", quote(name), did_you_mean(name, long_names(flags))));
}

[[noreturn]] void fail_missing_value(const Flags& flags, std::string_view last) {
  std::string name(last);
  if (!name.starts_with("--") && !name.empty()) name = std::string("-") + name.back();
  const Option* option = find_option(flags, name);
  fail_usage(
      fmt::format("{} needs a value{}", name, option == nullptr ? "" : ", " + option->value_name));
}

[[noreturn]] void fail_too_many(const std::string& argument) {
  const std::string_view hint =
      is_part(argument) ? "; parts of a set count as one argument if all of them are there" : "";
  fail_usage(fmt::format("one argument too many: {}{}", quote(argument), hint));
}

[[noreturn]] void fail_given_twice(const Option& option, std::string_view first,
                                   std::string_view second) {
  const auto shown = [](std::string_view value) { return quote(value == kBare ? "" : value); };
  fail_usage(fmt::format("{} is given twice: {}, then {}", option.names.back(), shown(first),
                         shown(second)));
}

class Parser {
 public:
  explicit Parser(const Flags& flags) : flags_(flags) {
    app_.allow_extras();
    app_.set_help_flag();
    for (const Option& option : flags.options()) {
      options_.emplace(add(option), &option);
    }
  }

  void parse(const std::vector<std::string>& arguments) {
    std::vector<std::string> reversed = split_empty_values(flags_, arguments);
    std::ranges::reverse(reversed);
    try {
      app_.parse(reversed);
    } catch (const CLI::ArgumentMismatch&) {
      fail_missing_value(flags_, arguments.back());
    } catch (const CLI::Error& error) {
      fail_usage(error.what());
    }
    const std::vector<std::string> positionals = positional_arguments();
    accept_options();
    // A set counts as one argument where enough are left: "diff" may compare its two parts.
    const std::vector<std::string> joined = join_parts(positionals);
    accept_positionals(joined.size() < least_arguments() ? positionals : joined);
    for (const auto& check : flags_.checks()) {
      check();
    }
  }

 private:
  const CLI::Option* add(const Option& option) {
    const bool always_has_value = option.value == Option::Value::Required;
    std::string names;
    for (const std::string& name : option.names) {
      names += names.empty() ? "" : ",";
      names += name;
      if (!always_has_value) names += fmt::format("{{{}}}", kBare);
    }
    if (!always_has_value) return app_.add_flag(names);
    return app_.add_option(names)->expected(1)->allow_extra_args(false)->multi_option_policy(
        CLI::MultiOptionPolicy::TakeAll);
  }

  // What CLI11 had no use for: positional arguments and unknown options.
  std::vector<std::string> positional_arguments() const {
    std::vector<std::string> positionals;
    bool options_ended = false;
    for (const std::string& argument : app_.remaining()) {
      if (options_ended) {
        positionals.push_back(argument);
      } else if (argument == "--") {
        options_ended = true;
      } else if (argument.starts_with('-') && argument != "-") {
        fail_unknown_option(flags_, argument);
      } else {
        positionals.push_back(argument);
      }
    }
    return positionals;
  }

  void accept_options() {
    std::map<const CLI::Option*, std::size_t> accepted;
    for (const CLI::Option* parsed : app_.parse_order()) {
      const Option& option = *options_.at(parsed);
      const std::size_t number = accepted[parsed]++;
      const std::string& value = parsed->results().at(number);
      if (option.once && number > 0) fail_given_twice(option, parsed->results().at(0), value);
      if (option.value == Option::Value::None && value != kBare) {
        fail_usage(
            fmt::format("{} takes no value, but was given {}", option.names.back(), quote(value)));
      }
      option.accept(value == kBare ? "" : value);
    }
  }

  std::size_t least_arguments() const {
    std::size_t least = 0;
    for (const Positional& positional : flags_.positionals()) {
      least += positional.least;
    }
    return least;
  }

  void accept_positionals(const std::vector<std::string>& arguments) {
    std::size_t wanted = 0;
    for (const Positional& positional : flags_.positionals()) {
      wanted += positional.least;
      if (wanted > arguments.size()) fail_usage(positional.name + " is missing");
    }
    std::size_t spare = arguments.size() - wanted;
    auto argument = arguments.begin();
    for (const Positional& positional : flags_.positionals()) {
      const std::size_t room = positional.most ? *positional.most - positional.least : spare;
      const std::size_t extra = std::min(room, spare);
      for (std::size_t i = 0; i < positional.least + extra; ++i) {
        positional.accept(*argument++);
      }
      spare -= extra;
    }
    if (spare > 0) fail_too_many(*argument);
  }

  const Flags& flags_;
  CLI::App app_;
  std::map<const CLI::Option*, const Option*> options_;
};

const Command& find_command(std::span<const Command* const> commands, const std::string& name) {
  const auto found = std::ranges::find(commands, name, &Command::name);
  if (found != commands.end()) return **found;
  std::vector<std::string> names = {"help"};
  for (const Command* command : commands) {
    names.emplace_back(command->name);
  }
  fail_usage(fmt::format("unknown command {}{}", quote(name), did_you_mean(name, names)));
}

bool is_given(const std::vector<std::string>& arguments, std::string_view option) {
  const auto end = std::ranges::find(arguments, "--");
  return std::find(arguments.begin(), end, option) != end;
}

Action parse_command(const Command& command, const std::vector<std::string>& arguments) {
  Flags flags;
  Action action = command.declare(flags);
  bool unused = false;
  flags.flag("-h,--help", unused, "print this text");
  flags.flag("--version", unused, "print the version");
  if (is_given(arguments, "--help") || is_given(arguments, "-h")) {
    return print(help(command, flags));
  }
  Parser(flags).parse(arguments);
  return action;
}

}  // namespace

Action parse(std::span<const Command* const> commands, const std::vector<std::string>& arguments) {
  if (arguments.empty()) return print(overview(commands));
  if (is_given(arguments, "--version")) return print("ptsd " PTSD_VERSION "\n");
  const std::string& name = arguments.front();
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (name == "help" && !rest.empty()) {
    return parse_command(find_command(commands, rest.front()), {"--help"});
  }
  if (name == "help" || name == "--help" || name == "-h") return print(overview(commands));
  if (name.starts_with('-')) {
    fail_usage(fmt::format("{} comes before the command; the order is COMMAND [OPTIONS] FILE…",
                           quote(name)));
  }
  return parse_command(find_command(commands, name), rest);
}

bool wants_json(const std::vector<std::string>& arguments) {
  return is_given(arguments, "--json");
}

report::Color color_of(const std::vector<std::string>& arguments) {
  const auto given = [&](const std::string& word) {
    const auto end = std::ranges::find(arguments, "--");
    const auto pair = std::to_array<std::string>({"--color", word});
    return is_given(arguments, "--color=" + word) ||
           std::search(arguments.begin(), end, pair.begin(), pair.end()) != end;
  };
  if (given("always")) return report::Color::Always;
  return given("never") ? report::Color::Never : report::Color::Auto;
}

}  // namespace ptsd::command
