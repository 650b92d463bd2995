// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

// What a command accepts: a record of its positional arguments and options, each bound to a
// variable. Nothing is parsed here; command_line.cc reads the record, and --help prints it.
//
// Names are written "--long" or "-l,--long". Variables are borrowed: they must live as long as
// the action that `declare` returns (keep them in a shared_ptr the action holds).

namespace ptsd::command {

// A whole number, or fail_usage in the name of `option`.
std::uint64_t parse_number(std::string_view option, std::string_view text);

// Receives one value, and refuses it with fail_usage.
using Accept = std::function<void(std::string_view)>;

struct Positional {
  std::string name;
  std::size_t least;
  std::optional<std::size_t> most;  // no bound if unset
  Accept accept;
  std::string help;
};

struct Option {
  enum class Value { None, Required, Optional };

  std::vector<std::string> names;
  Value value;
  std::string value_name;
  Accept accept;  // called once for each time it is given, in the order of the command line
  std::string help;
  std::string group;
  bool once = false;  // whether it is refused when it is given again
};

class Flags {
 public:
  // Options declared from here on stand under this heading in --help.
  void group(std::string heading) { group_ = std::move(heading); }

  // One argument, or one or more. All but the last are filled with what they need first.
  void file(std::string name, std::string& target, std::string help);
  void files(std::string name, std::vector<std::string>& target, std::string help,
             std::size_t least = 1);

  // Sets the target to `value`, so that "--no-x" can clear what is on by default.
  void flag(std::string_view names, bool& target, std::string help, bool value = true);
  // --name TEXT, once.
  void text(std::string_view names, std::optional<std::string>& target, std::string value_name,
            std::string help);
  // --name TEXT, as often as wanted.
  void texts(std::string_view names, std::vector<std::string>& target, std::string value_name,
             std::string help);
  // --name A,B,C, as often as wanted.
  void list(std::string_view names, std::vector<std::string>& target, std::string value_name,
            std::string help);
  // --name N, once.
  void number(std::string_view names, std::optional<std::uint64_t>& target, std::string value_name,
              std::string help);
  // --name or --name=TEXT, once; a bare --name gives the empty text.
  void optional_text(std::string_view names, std::optional<std::string>& target,
                     std::string value_name, std::string help);
  // --name WORD, one of a fixed set, once.
  template <class E>
  void choice(std::string_view names, E& target, std::vector<std::pair<std::string, E>> choices,
              const std::string& help) {
    std::vector<std::string> words;
    for (const auto& choice : choices) {
      words.push_back(choice.first);
    }
    choice_index(
        names, words,
        [&target, choices = std::move(choices)](std::size_t i) { target = choices[i].second; },
        help);
  }
  // --name VALUE, for options whose order among other options matters.
  void each(std::string_view names, std::string value_name, Accept accept, std::string help);

  // Runs after the last argument, for what options demand of one another. Refuse with fail_usage.
  void check(std::function<void()> check) { checks_.push_back(std::move(check)); }

  const std::vector<Positional>& positionals() const { return positionals_; }
  const std::vector<Option>& options() const { return options_; }
  const std::vector<std::function<void()>>& checks() const { return checks_; }

 private:
  void choice_index(std::string_view names, const std::vector<std::string>& words,
                    std::function<void(std::size_t)> choose, std::string help);
  Option& add(std::string_view names, Option::Value value, std::string value_name, Accept accept,
              std::string help);

  std::vector<Positional> positionals_;
  std::vector<Option> options_;
  std::vector<std::function<void()>> checks_;
  std::string group_ = "Options";
};

}  // namespace ptsd::command
