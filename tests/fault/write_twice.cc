// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "file/input_file.h"
#include "file/output_file.h"

// Writes INPUT to TARGET twice, once by write() and once by copy(), with a few bytes between, and
// reads some of it back: every way to use an OutputFile, so that faults meet it alone.
//
//   write_twice INPUT TARGET [--force] [--in-place[=SUFFIX]] [--break-links]

namespace {

using ptsd::file::InputFile;
using ptsd::file::OutputFile;
using ptsd::file::Target;

Target target_of(const std::vector<std::string>& arguments) {
  constexpr std::string_view kInPlace = "--in-place=";
  Target target = {.path = arguments.at(1)};
  for (const std::string& argument : std::vector(arguments.begin() + 2, arguments.end())) {
    if (argument == "--force") target.overwrite = true;
    if (argument == "--break-links") target.break_links = true;
    if (argument.starts_with("--in-place")) target.in_place = true;
    if (argument.starts_with(kInPlace)) target.backup_suffix = argument.substr(kInPlace.size());
  }
  return target;
}

void write_twice(const std::vector<std::string>& arguments) {
  const InputFile input(arguments.at(0));
  OutputFile output(target_of(arguments));
  output.reserve(2 * input.size() + 64);
  output.write(ptsd::as_bytes("once"));
  output.write(input.read(0, input.size()));
  output.write(ptsd::as_bytes("twice"));
  output.copy(input, 0, input.size());
  output.copy(input, 1, 3);
  output.written().read(0, 16);
  const InputFile* const inputs[] = {&input};
  for (const ptsd::Warning& warning : output.commit(inputs)) {
    std::fprintf(stderr, "write_twice: warning: %s\n", warning.message.c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    write_twice({argv + 1, argv + argc});
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "write_twice: %s\n", error.what());
    return 2;
  }
}
