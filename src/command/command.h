// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string_view>

// A subcommand: one file, one `const Command`. `declare` binds flags to a value that the action
// it returns owns; it may not touch a file, so that every command line can be tested without
// one. The action opens, calls operation/, and hands the result to report/.

namespace ptsd::command {

class Flags;

// What the process returns. Yes: done, or the answer is yes. No: differences, findings.
enum class Exit { Yes = 0, No = 1, Trouble = 2 };

using Action = std::function<Exit()>;

struct Command {
  std::string_view name;
  std::string_view summary;   // one line, lower-case, no full stop
  std::string_view examples;  // whole lines for the end of --help, "# what it does" above each
  Action (*declare)(Flags& flags);
};

}  // namespace ptsd::command
