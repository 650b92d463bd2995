// SPDX-License-Identifier: Apache-2.0
#include <csignal>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <new>
#include <string>
#include <string_view>
#include <unistd.h>
#include <vector>

#include "base/error.h"
#include "command/command_line.h"
#include "command/commands.h"
#include "file/open_limit.h"
#include "report/error_json.h"
#include "report/messages.h"

namespace {

using ptsd::Error;
using ptsd::command::Exit;

// A descriptor that was closed would be taken by the next file that is opened, and messages
// would land in it. What stands in for it refuses to be read or written.
void occupy_standard_descriptors() {
  for (const int descriptor : {0, 1, 2}) {
    if (fcntl(descriptor, F_GETFD) == -1) {
      const int mode = descriptor == 0 ? O_WRONLY : O_RDONLY;
      if (open("/dev/null", mode) != descriptor) std::abort();
    }
  }
}

// Allocates nothing. Where stderr cannot be written, the exit status must do.
void say(std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(STDERR_FILENO, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

Exit say(const Error& error, const std::vector<std::string>& arguments) {
  if (ptsd::command::wants_json(arguments)) {
    say(ptsd::report::error_json(error));
  } else {
    const ptsd::report::Style style(ptsd::command::color_of(arguments), isatty(STDERR_FILENO) == 1);
    say(ptsd::report::error_line(error.what(), style));
  }
  return Exit::Trouble;
}

Exit say_out_of_memory(bool json) {
  say(json ? R"({"schema":"ptsd.error/1","kind":"limit","message":"out of memory",)"
             R"("file":null,"member":null,"offset":null,"exit":2})"
             "\n"
           : "ptsd: out of memory\n");
  return Exit::Trouble;
}

Exit run(const std::vector<std::string>& arguments) {
  const bool json = ptsd::command::wants_json(arguments);
  try {
    return ptsd::command::parse(ptsd::command::commands(), arguments)();
  } catch (const Error& error) {
    return say(error, arguments);
  } catch (const std::bad_alloc&) {
    return say_out_of_memory(json);
  } catch (const std::exception& error) {
    return say(Error(Error::Kind::Unsupported, {},
                     std::string("internal error, please report it: ") + error.what()),
               arguments);
  }
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_descriptors();
  ptsd::file::raise_open_limit();
  // A reader of stdout that goes away is noticed by report::Output.
  std::signal(SIGPIPE, SIG_IGN);
  return static_cast<int>(run({argv + (argc > 0 ? 1 : 0), argv + argc}));
}
