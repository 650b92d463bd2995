// SPDX-License-Identifier: Apache-2.0
#include "file/output_file.h"

#include <filesystem>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <vector>

#include <doctest/doctest.h>

#include "base/bytes.h"
#include "temporary_folder.h"

namespace ptsd::file {
namespace {

namespace fs = std::filesystem;

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
  const TemporaryFolder folder;
  CHECK(write_file({.path = folder.path("out")}, "new").empty());
  CHECK(folder.read("out") == "new");
  CHECK(folder.names() == Names{"out"});
}

TEST_CASE("until it is committed there is nothing, and after an error neither") {
  const TemporaryFolder folder;
  {
    OutputFile output({.path = folder.path("out")});
    output.write(as_bytes("new"));
    output.written();
    CHECK(folder.names().empty());
  }
  CHECK(folder.names().empty());
}

TEST_CASE("small and large writes and copies stand one behind the other") {
  const TemporaryFolder folder;
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

std::vector<Warning> commit(OutputFile& output, const InputFile& input) {
  const InputFile* const inputs[] = {&input};
  return output.commit(inputs);
}

TEST_CASE("an empty file is a file") {
  const TemporaryFolder folder;
  OutputFile output({.path = folder.path("out")});
  output.reserve(0);
  output.commit({});
  CHECK(folder.read("out").empty());
}

TEST_CASE("a file is replaced as a whole") {
  const TemporaryFolder folder;
  const std::string path = folder.write("out", "old");
  {
    OutputFile output({.path = path, .overwrite = true});
    output.write(as_bytes("new"));
    CHECK(folder.read("out") == "old");
  }
  CHECK(folder.read("out") == "old");
  CHECK(write_file({.path = path, .overwrite = true}, "new").empty());
  CHECK(folder.read("out") == "new");
  CHECK(folder.names() == Names{"out"});
}

TEST_CASE("a name of 255 bytes can be written and replaced") {
  const TemporaryFolder folder;
  const std::string name(255, 'n');
  write_file({.path = folder.path(name)}, "new");
  write_file({.path = folder.path(name), .overwrite = true}, "newer");
  CHECK(folder.read(name) == "newer");
}

TEST_CASE("a target in the directory one is in needs no slash") {
  const TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path(""));
  write_file({.path = "out"}, "new");
  fs::current_path(before);
  CHECK(folder.read("out") == "new");
}

TEST_CASE("a file is written in place from itself, and the original is kept on request") {
  const TemporaryFolder folder;
  const std::string path = folder.write("in", "0123456789");
  const InputFile input(path);
  OutputFile output({.path = path, .in_place = true, .backup_suffix = ".bak"});
  output.copy(input, 5, 5);
  CHECK(commit(output, input).empty());
  CHECK(folder.read("in") == "56789");
  CHECK(folder.read("in.bak") == "0123456789");
  CHECK(folder.status("in").st_nlink == 1);
}

TEST_CASE("a backup that appears in the meantime is not overwritten, and nothing is replaced") {
  const TemporaryFolder folder;
  const std::string path = folder.write("in", "old");
  {
    OutputFile output({.path = path, .in_place = true, .backup_suffix = "~"});
    folder.write("in~", "precious");
    CHECK(refusal([&] { output.commit({}); }) ==
          path + ": cannot keep the file that is replaced as a backup: File exists");
  }
  CHECK(folder.read("in") == "old");
  CHECK(folder.read("in~") == "precious");
  CHECK(folder.names() == Names{"in", "in~"});
}

TEST_CASE("a symbolic link stays, and leads to the new file") {
  const TemporaryFolder folder;
  folder.write("real", "old");
  fs::create_symlink("real", folder.path("link"));
  write_file({.path = folder.path("link"), .overwrite = true, .backup_suffix = "~"}, "new");
  CHECK(fs::is_symlink(folder.path("link")));
  CHECK(folder.read("real") == "new");
  CHECK(folder.read("real~") == "old");
}

TEST_CASE("links that may be broken keep the old content") {
  const TemporaryFolder folder;
  const std::string path = folder.write("out", "old");
  fs::create_hard_link(path, folder.path("other"));
  write_file({.path = path, .overwrite = true, .break_links = true}, "new");
  CHECK(folder.read("out") == "new");
  CHECK(folder.read("other") == "old");
}

TEST_CASE("a file that another program created in the meantime is not overwritten") {
  const TemporaryFolder folder;
  const std::string path = folder.path("out");
  OutputFile output({.path = path});
  OutputFile forced({.path = path, .overwrite = true});
  folder.write("out", "theirs");
  CHECK(refusal([&] { output.commit({}); }, Error::Kind::Usage) ==
        path + ": exists; --force overwrites it");
  CHECK(refusal([&] { forced.commit({}); }) ==
        path + ": created by another program in the meantime");
  CHECK(folder.read("out") == "theirs");
  CHECK(folder.names() == Names{"out"});
}

TEST_CASE("of two that replace one file, the later notices") {
  const TemporaryFolder folder;
  const std::string path = folder.write("out", "old");
  OutputFile first({.path = path, .overwrite = true});
  OutputFile second({.path = path, .overwrite = true});
  first.write(as_bytes("first"));
  second.write(as_bytes("second"));
  first.commit({});
  CHECK(refusal([&] { second.commit({}); }) ==
        path + ": changed by another program in the meantime");
  CHECK(folder.read("out") == "first");
}

TEST_CASE("an input that changes while it is read lets nothing be put in place") {
  const TemporaryFolder folder;
  const std::string path = folder.write("in", "0123456789");
  const InputFile input(path);
  OutputFile output({.path = folder.path("out")});
  output.copy(input, 0, 10);
  folder.write("in", "9876543210x");
  CHECK(refusal([&] { commit(output, input); }) == path + ": changed while reading");
  CHECK(folder.names() == Names{"in"});
}

TEST_CASE("an input that is cut short is an error, also for the kernel's copy") {
  const TemporaryFolder folder;
  const std::string path = folder.write("in", long_text(3 << 20));
  const InputFile input(path);
  OutputFile output({.path = folder.path("out")});
  fs::resize_file(path, 1 << 20);
  CHECK(refusal([&] { output.copy(input, 0, 3 << 20); }) ==
        path + ": +0x100000: changed while reading: 1048576 more bytes wanted, the file ends here");
}

// While it lives, no file may grow beyond the limit.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t limit) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit lower = {limit, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &lower) == 0);
  }
  ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit before_ = {};
};

// The kernel writes up to the limit, and refuses the next call.
TEST_CASE("a write that is cut short goes on, and ends with what could not be written") {
  const TemporaryFolder folder;
  const std::string text = long_text(3 << 20);
  const InputFile input(folder.write("in", text));
  const std::string path = folder.path("out");
  const FileSizeLimit limit(1500000);
  {
    OutputFile output({.path = path});
    CHECK(refusal([&] { output.write(as_bytes(text)); }) ==
          path + ": too large a file: 1645728 bytes needed, the limit is 1500000");
    CHECK(output.position() == 1500000);
  }
  {
    OutputFile output({.path = path});
    const std::string said = refusal([&] {
      output.copy(input, 0, text.size());
      output.written();
    });
    CHECK(said.find("too large a file") != std::string::npos);
  }
  CHECK(folder.names() == Names{"in"});
}

TEST_CASE("room that is not there is refused before a byte is written") {
  const TemporaryFolder folder;
  const std::string path = folder.path("out");
  OutputFile output({.path = path});
  CHECK(refusal([&] { output.reserve(std::uint64_t{1} << 63); }).find("bytes needed, ") !=
        std::string::npos);
  // More than a file of any size may take, where the file system knows what it has.
  CHECK(refusal([&] {
          output.reserve(std::uint64_t{1} << 50);
        }).starts_with(path + ": no space left: 1125899906842624 bytes needed, "));
  const FileSizeLimit limit(1000);
  CHECK(refusal([&] { output.reserve(1001); }) ==
        path + ": too large a file: 1001 bytes needed, the limit is 1000");
  CHECK(refusal([&] { output.reserve(1000); }).empty());
}

TEST_CASE("room that was reserved and not used is given back") {
  const TemporaryFolder folder;
  OutputFile output({.path = folder.path("out")});
  output.reserve(4 << 20);
  output.write(as_bytes("new"));
  output.commit({});
  CHECK(folder.read("out") == "new");
  CHECK(folder.status("out").st_blocks * 512 < 1 << 20);
}

TEST_CASE("what killed processes left is told") {
  const TemporaryFolder folder;
  const OutputFile output({.path = folder.path("out")});
  CHECK(output.stale().empty());
  folder.write(".ptsd-abcdefgh.tmp", "");
  CHECK(output.stale() == Names{".ptsd-abcdefgh.tmp"});
}

}  // namespace
}  // namespace ptsd::file
