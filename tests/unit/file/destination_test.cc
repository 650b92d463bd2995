// SPDX-License-Identifier: Apache-2.0
#include "file/destination.h"

#include <filesystem>
#include <string>
#include <sys/stat.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "temporary_folder.h"
#include "without_privileges.h"

namespace ptsd::file {
namespace {

namespace fs = std::filesystem;

std::string usage(const Target& target) {
  return refusal([&] { Destination{target}; }, Error::Kind::Usage);
}

std::string io(const Target& target) {
  return refusal([&] { Destination{target}; }, Error::Kind::Io);
}

TEST_CASE("a file that exists is refused, unless it may be overwritten") {
  const TemporaryFolder folder;
  const std::string path = folder.write("out", "old");
  CHECK(usage({.path = path}) == path + ": exists; --force overwrites it");
  CHECK(usage({.path = path, .overwrite = true}).empty());
  CHECK(usage({.path = path, .in_place = true}).empty());
  CHECK(folder.read("out") == "old");
}

TEST_CASE("nothing is created by looking") {
  const TemporaryFolder folder;
  const Destination found({.path = folder.path("out"), .overwrite = true});
  CHECK_FALSE(found.replaces());
  CHECK(found.name() == "out");
  CHECK(folder.names().empty());
}

TEST_CASE("in place, the file must exist") {
  const TemporaryFolder folder;
  const std::string path = folder.path("in");
  CHECK(io({.path = path, .in_place = true}) == path + ": does not exist");
}

TEST_CASE("what is no regular file is refused, also with --force and behind a link") {
  const TemporaryFolder folder;
  REQUIRE(::mkfifo(folder.path("fifo").c_str(), 0600) == 0);
  REQUIRE(::mknod(folder.path("socket").c_str(), S_IFSOCK | 0600, 0) == 0);
  fs::create_directory(folder.path("sub"));
  fs::create_symlink("/dev/null", folder.path("link"));
  fs::create_symlink("sub", folder.path("link-to-sub"));
  const auto refused = [&](const std::string& path, const std::string& what) {
    CHECK(usage({.path = path, .overwrite = true}) ==
          path + ": is " + what + ", expected a regular file");
  };
  refused(folder.path("fifo"), "a FIFO");
  refused(folder.path("socket"), "a socket");
  refused(folder.path("sub"), "a directory");
  refused(folder.path("link"), "a device");
  refused(folder.path("link-to-sub"), "a directory");
  refused("/dev/null", "a device");
}

TEST_CASE("a path that ends in no name is refused") {
  const TemporaryFolder folder;
  for (const std::string end : {"", ".", ".."}) {
    const std::string path = folder.path("") + end;
    CHECK(usage({.path = path}) == path + ": names a directory, expected a file");
  }
  CHECK(usage({.path = "/"}) == "/: names a directory, expected a file");
  CHECK(usage({.path = ""}) == "names a directory, expected a file");
}

TEST_CASE("a directory that is missing, or none, is named") {
  const TemporaryFolder folder;
  folder.write("file", "");
  CHECK(io({.path = folder.path("none/out")}) ==
        folder.path("none/out") + ": cannot open the directory '" + folder.path("none") +
            "': No such file or directory");
  CHECK(io({.path = folder.path("file/out")}).ends_with("': Not a directory"));
}

TEST_CASE("a name that is too long for the file system is refused at once") {
  const TemporaryFolder folder;
  CHECK(io({.path = folder.path(std::string(256, 'n'))}).ends_with("File name too long"));
  const std::string longest = folder.write(std::string(255, 'n'), "old");
  CHECK(io({.path = longest, .in_place = true, .backup_suffix = "~"})
            .ends_with(": cannot stat: File name too long"));
}

TEST_CASE("a symbolic link stands for the file it leads to") {
  const TemporaryFolder folder;
  folder.write("old", "old");
  fs::create_directory(folder.path("sub"));
  fs::create_symlink("../old", folder.path("sub/link"));
  fs::create_symlink("sub/link", folder.path("link"));
  const Destination found({.path = folder.path("link"), .overwrite = true});
  CHECK(found.name() == "old");
  CHECK(found.path() == folder.path("link"));
  CHECK(usage({.path = folder.path("link")}).ends_with("link: exists; --force overwrites it"));
}

TEST_CASE("a symbolic link to nothing or to itself is refused") {
  const TemporaryFolder folder;
  fs::create_symlink("none", folder.path("dangling"));
  fs::create_symlink("loop", folder.path("loop"));
  const std::string dangling = folder.path("dangling");
  CHECK(usage({.path = dangling, .overwrite = true}) ==
        dangling + ": is a symbolic link to nothing");
  CHECK(io({.path = folder.path("loop"), .overwrite = true})
            .ends_with("loop: cannot follow the symbolic link: "
                       "Too many levels of symbolic links"));
}

TEST_CASE("a file with other hard links is refused, unless they may be broken") {
  const TemporaryFolder folder;
  const std::string path = folder.write("out", "old");
  fs::create_hard_link(path, folder.path("other"));
  CHECK(usage({.path = path, .in_place = true}) ==
        path + ": has 2 hard links; --break-links replaces it under this name alone");
  CHECK(usage({.path = path, .overwrite = true}).find("2 hard links") != std::string::npos);
  CHECK(usage({.path = path, .in_place = true, .break_links = true}).empty());
}

TEST_CASE("a backup never overwrites a file, nor leaves the directory") {
  const TemporaryFolder folder;
  const std::string path = folder.write("in", "old");
  const auto with_suffix = [&](const std::string& suffix) {
    return usage({.path = path, .in_place = true, .backup_suffix = suffix});
  };
  CHECK(with_suffix(".bak").empty());
  fs::create_symlink("none", folder.path("in.bak"));
  CHECK(with_suffix(".bak") == path + ".bak: exists; a backup is never overwritten");
  CHECK(with_suffix("/../b") == path + ": '/../b' cannot be the suffix of a backup");
  CHECK(with_suffix("") == path + ": '' cannot be the suffix of a backup");
}

TEST_CASE("a file of another user in a sticky directory is refused at once") {
  const TemporaryFolder folder;
  const std::string path = folder.write("out", "old");
  ::chmod(folder.path("").c_str(), 01777);
  ::chmod(path.c_str(), 0666);
  const WithoutPrivileges user;
  if (!user.is_other()) return;
  CHECK(io({.path = path, .overwrite = true}) ==
        path + ": belongs to another user, in a directory with the sticky bit");
}

TEST_CASE("a directory that nothing can be created in is refused at once") {
  const TemporaryFolder folder;
  const std::string path = folder.write("out", "old");
  ::chmod(folder.path("").c_str(), 0500);
  const WithoutPrivileges user;
  const std::string message = ": cannot create a file beside it: Permission denied";
  CHECK(io({.path = path, .overwrite = true}) == path + message);
  CHECK(io({.path = folder.path("new")}) == folder.path("new") + message);
}

TEST_CASE("a file that cannot be read can be replaced") {
  const TemporaryFolder folder;
  const std::string path = folder.write("out", "old");
  ::chmod(folder.path("").c_str(), 0777);
  ::chmod(path.c_str(), 0200);
  const WithoutPrivileges user;
  CHECK(Destination({.path = path, .overwrite = true}).replaces());
}

TEST_CASE("that another program wrote to or replaced the file is noticed") {
  const TemporaryFolder folder;
  const std::string path = folder.write("out", "old");
  const auto changed = [&](auto change) {
    const Destination found({.path = path, .overwrite = true});
    CHECK(refusal([&] { found.check_unchanged(); }).empty());
    change();
    return refusal([&] { found.check_unchanged(); });
  };
  const std::string message = path + ": changed by another program in the meantime";
  CHECK(changed([&] { folder.write("out", "longer"); }) == message);
  CHECK(changed([&] { fs::rename(folder.write("b", "longer"), path); }) == message);
  CHECK(changed([&] { fs::remove(path); }) == message);
}

}  // namespace
}  // namespace ptsd::file
