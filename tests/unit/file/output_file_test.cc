// SPDX-License-Identifier: Apache-2.0
#include "file/output_file.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/bytes.h"
#include "folder.h"

namespace ptsd::file {
namespace {

using Names = std::vector<std::string>;

std::vector<Warning> write_file(const Target& target, const std::string& text) {
  OutputFile output(target);
  output.write(as_bytes(text));
  return output.commit({});
}

// Larger than the buffer, and not the same everywhere.
std::string long_text(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>(i * 7 + i / 251);
  return text;
}

TEST_CASE("a new file has all its bytes, and there is nothing beside it") {
  const Folder folder;
  CHECK(write_file({.path = folder.path("out")}, "new").empty());
  CHECK(folder.read("out") == "new");
  CHECK(folder.names() == Names{"out"});
}

TEST_CASE("until it is committed there is nothing, and after an error neither") {
  const Folder folder;
  {
    OutputFile output({.path = folder.path("out")});
    output.write(as_bytes("new"));
    output.written();
    CHECK(folder.names().empty());
  }
  CHECK(folder.names().empty());
}

TEST_CASE("small and large writes and copies stand one behind the other") {
  const Folder folder;
  const std::string text = long_text(5 << 20);
  const InputFile input(folder.write("in", text));
  const MemorySource memory("memory", {std::byte{'m'}, std::byte{'n'}});
  OutputFile output({.path = folder.path("out")});
  output.reserve(text.size() * 2 + 8);
  output.write(as_bytes("head"));
  output.copy(input, 0, text.size());
  output.copy(memory, 1, 1);
  output.copy(input, 10, 20);
  output.write(as_bytes(text));
  output.copy(input, 3, 0);
  output.copy(input, 1, 3 << 20);
  const std::string expected =
      "head" + text + "n" + text.substr(10, 20) + text + text.substr(1, 3 << 20);
  CHECK(output.position() == expected.size());
  CHECK(as_text(output.written().read(5, 100)) == expected.substr(5, 100));
  CHECK(output.written().size() == expected.size());
  const InputFile* const inputs[] = {&input};
  CHECK(output.commit(inputs).empty());
  CHECK(folder.read("out") == expected);
  CHECK(folder.names() == Names{"in", "out"});
}

}  // namespace
}  // namespace ptsd::file
