// SPDX-License-Identifier: Apache-2.0
#include "file/input_file.h"

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

#include <doctest/doctest.h>

#include "temporary_folder.h"

namespace ptsd::file {
namespace {

namespace fs = std::filesystem;

TEST_CASE("bytes are read from anywhere in the file") {
  const TemporaryFolder folder;
  const InputFile file(folder.write("a", "0123456789"));
  CHECK(file.size() == 10);
  CHECK(as_text(file.read(3, 4)) == "3456");
  CHECK(refusal([&] { file.check_unchanged(); }) == "");
}

TEST_CASE("what is missing or no regular file is refused, and a FIFO does not hang") {
  const TemporaryFolder folder;
  const std::string fifo = folder.path("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(refusal([&] { InputFile{fifo}; }) == fifo + ": not a regular file");
  CHECK(refusal([&] { InputFile{folder.path("")}; }) == folder.path("") + ": not a regular file");
  CHECK(refusal([&] { InputFile{folder.path("none")}; }) ==
        folder.path("none") + ": cannot open: No such file or directory");
  CHECK(refusal([] { InputFile{"/dev/null"}; }) == "/dev/null: not a regular file");
}

TEST_CASE("a file that is cut short while it is read is an error at that place") {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "0123456789");
  const InputFile file(path);
  fs::resize_file(path, 5);
  CHECK(refusal([&] { file.read(3, 4); }) ==
        path + ": +0x5: changed while reading: 2 more bytes wanted, the file ends here");
  CHECK(refusal([&] { file.check_unchanged(); }) == path + ": changed while reading");
}

TEST_CASE("a file that is written to or replaced while it is read is an error") {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "0123456789");
  const InputFile file(path);
  folder.write("b", "0123456789");
  fs::rename(folder.path("b"), path);
  CHECK(refusal([&] { file.check_unchanged(); }).starts_with(path + ": "));
  const InputFile again(path);
  std::ofstream(path, std::ios::app) << "x";
  CHECK(refusal([&] { again.check_unchanged(); }) == path + ": changed while reading");
}

TEST_CASE("a file is the same under another name, and through links") {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "0123456789");
  fs::create_hard_link(path, folder.path("hard"));
  fs::create_symlink("a", folder.path("soft"));
  folder.write("copy", "0123456789");
  const InputFile file(path);
  CHECK(same_file(file, path));
  CHECK(same_file(file, folder.path("./a")));
  CHECK(same_file(file, folder.path("hard")));
  CHECK(same_file(file, folder.path("soft")));
  CHECK_FALSE(same_file(file, folder.path("copy")));
  CHECK_FALSE(same_file(file, folder.path("none")));
}

}  // namespace
}  // namespace ptsd::file
