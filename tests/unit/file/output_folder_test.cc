// SPDX-License-Identifier: Apache-2.0
#include "file/output_folder.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <vector>

#include <doctest/doctest.h>

#include "file/temporary.h"
#include "temporary_folder.h"

namespace ptsd::file {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

void write(const OutputFolder& folder, const std::string& name) {
  std::ofstream(folder.path_of(name)) << name;
}

TEST_CASE("a directory has its name when all of its files are there, and not before") {
  const TemporaryFolder here;
  OutputFolder folder(here.path("parts/"));
  write(folder, "a");
  write(folder, "b");
  REQUIRE(here.names().size() == 1);
  CHECK(is_temporary_name(here.names()[0]));
  folder.commit();
  CHECK(here.names() == Names{"parts"});
  CHECK(here.read("parts/b") == "b");
}

TEST_CASE("the name of a file can lead through directories") {
  const TemporaryFolder here;
  OutputFolder folder(here.path("parts"));
  write(folder, "sub/deep/a");
  write(folder, "sub/b");
  folder.commit();
  CHECK(here.read("parts/sub/deep/a") == "sub/deep/a");
  CHECK(here.read("parts/sub/b") == "sub/b");
}

TEST_CASE("a check refuses what the directory would, and makes nothing") {
  const TemporaryFolder here;
  OutputFolder::check(here.path("parts/"));
  CHECK(here.names().empty());
  here.write("file", "x");
  CHECK(refusal([&] { OutputFolder::check(here.path("file")); }, Error::Kind::Usage) ==
        here.path("file") + ": exists; parts are written into a new directory");
}

TEST_CASE("a directory that is not committed leaves nothing") {
  const TemporaryFolder here;
  {
    const OutputFolder folder(here.path("parts"));
    write(folder, "a");
  }
  CHECK(here.names().empty());
}

TEST_CASE("what has the name is refused, before and at the end") {
  const TemporaryFolder here;
  here.write("file", "x");
  fs::create_directory(here.path("folder"));
  fs::create_symlink("none", here.path("link"));
  for (const char* const name : {"file", "folder", "link"}) {
    CHECK(refusal([&] { OutputFolder{here.path(name)}; }, Error::Kind::Usage) ==
          here.path(name) + ": exists; parts are written into a new directory");
  }
  OutputFolder folder(here.path("late"));
  write(folder, "a");
  fs::create_directory(here.path("late"));
  CHECK(refusal([&] { folder.commit(); }, Error::Kind::Usage) ==
        here.path("late") + ": exists; parts are written into a new directory");
  CHECK(fs::is_empty(here.path("late")));
}

TEST_CASE("there has to be a directory to put it in") {
  const TemporaryFolder here;
  CHECK(refusal([&] { OutputFolder{here.path("none/parts")}; }) ==
        here.path("none/parts") + ": cannot open the directory '" + here.path("none") +
            "': No such file or directory");
}

TEST_CASE("its mode is that of the umask") {
  const TemporaryFolder here;
  const mode_t before = ::umask(027);
  OutputFolder folder(here.path("parts"));
  folder.commit();
  ::umask(before);
  CHECK((here.status("parts").st_mode & 0777) == 0750);
}

}  // namespace
}  // namespace ptsd::file
