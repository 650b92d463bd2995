// SPDX-License-Identifier: Apache-2.0
#include "file/folder.h"

#include <array>
#include <filesystem>
#include <string>
#include <string_view>
#include <sys/stat.h>

#include <doctest/doctest.h>

#include "temporary_folder.h"

namespace ptsd::file {
namespace {

TEST_CASE("files are opened by their names, once each") {
  const TemporaryFolder here;
  here.write("b", "bb");
  here.write("a", "a");
  Folder folder(here.path(""));
  CHECK(folder.names() == std::vector<std::string>{"a", "b"});
  CHECK(folder.open("b").size() == 2);
  CHECK(&folder.open("b") == &folder.open("b"));
  CHECK(folder.open("a").size() == 1);
  REQUIRE(folder.opened().size() == 2);
  CHECK(folder.opened()[0]->size() == 1);
}

TEST_CASE("a file can lie below the folder, and be a link") {
  const TemporaryFolder here;
  std::filesystem::create_directory(here.path("sub"));
  here.write("sub/x", "xyz");
  std::filesystem::create_symlink("sub/x", here.path("link"));
  Folder folder(here.path(""));
  CHECK(folder.has("sub/x"));
  CHECK(folder.open("sub/x").size() == 3);
  CHECK(folder.open("link").size() == 3);
  CHECK_FALSE(folder.has("sub"));
}

TEST_CASE("no name leads out of the folder") {
  const TemporaryFolder here;
  std::filesystem::create_directory(here.path("in"));
  here.write("secret", "s");
  Folder folder(here.path("in"));
  using namespace std::string_view_literals;
  constexpr auto kNames = std::to_array<std::string_view>(
      {"", ".", "..", "../secret", "a/../../secret", "/etc/passwd", "a//b", "a/", "./a", "a\0b"sv});
  for (const std::string_view name : kNames) {
    CHECK_FALSE(folder.has(name));
    CHECK(refusal([&] { folder.open(name); }, Error::Kind::Malformed)
              .find("the name of a part leads elsewhere: ") != std::string::npos);
  }
}

TEST_CASE("a part that is no file is refused, and does not hang") {
  const TemporaryFolder here;
  std::filesystem::create_symlink("loop", here.path("loop"));
  std::filesystem::create_symlink("/dev/zero", here.path("device"));
  std::filesystem::create_directory(here.path("directory"));
  REQUIRE(::mkfifo(here.path("fifo").c_str(), 0600) == 0);
  Folder folder(here.path(""));
  const auto refused = [&](const std::string& name) {
    CHECK_FALSE(folder.has(name));
    return refusal([&] { folder.open(name); }).substr(here.path(name).size());
  };
  CHECK(refused("loop") == ": cannot open: Too many levels of symbolic links");
  CHECK(refused("device") == ": not a regular file");
  CHECK(refused("directory") == ": not a regular file");
  CHECK(refused("fifo") == ": not a regular file");
}

TEST_CASE("what is not there is an error with its path") {
  const TemporaryFolder here;
  Folder folder(here.path("none"));
  CHECK(refusal([&] { folder.open("a"); }) ==
        here.path("none/a") + ": cannot open: No such file or directory");
  CHECK(refusal([&] { static_cast<void>(folder.names()); }) ==
        here.path("none") + ": cannot read: No such file or directory");
}

TEST_CASE("the file that the user named is one of those that were opened") {
  const TemporaryFolder here;
  const std::string path = here.write("m.json", "{}");
  Folder folder(here.path(""));
  CHECK(folder.open_named(path).name() == path);
  CHECK(folder.opened().size() == 1);
  CHECK(is_among(folder.opened(), path));
  CHECK_FALSE(is_among(folder.opened(), here.path("other")));
}

}  // namespace
}  // namespace ptsd::file
