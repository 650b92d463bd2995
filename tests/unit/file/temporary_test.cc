// SPDX-License-Identifier: Apache-2.0
#include "file/temporary.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <doctest/doctest.h>

#include "file/signal_cleanup.h"
#include "temporary_folder.h"
#include "without_privileges.h"

namespace ptsd::file {
namespace {

using Names = std::vector<std::string>;

Descriptor open_folder(const TemporaryFolder& folder) {
  return Descriptor(::open(folder.path("").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

void put(const Temporary& temporary, const char* text) {
  REQUIRE(::pwrite(temporary.descriptor(), text, std::char_traits<char>::length(text), 0) > 0);
}

TEST_CASE("a temporary takes a free name, and no other") {
  const TemporaryFolder folder;
  const Descriptor open = open_folder(folder);
  folder.write("taken", "old");
  Temporary temporary(open.number(), "out", 0600);
  put(temporary, "new");
  CHECK(temporary.take_name("taken") == EEXIST);
  CHECK(temporary.take_name("free") == 0);
  CHECK(folder.read("taken") == "old");
  CHECK(folder.read("free") == "new");
}

TEST_CASE("a temporary takes the place of a file") {
  const TemporaryFolder folder;
  const Descriptor open = open_folder(folder);
  folder.write("out", "old");
  {
    Temporary temporary(open.number(), "out", 0600);
    put(temporary, "new");
    CHECK(temporary.replace("out") == 0);
  }
  CHECK(folder.read("out") == "new");
  CHECK(folder.names() == Names{"out"});
}

TEST_CASE("a temporary that cannot take the place of what is there leaves nothing") {
  const TemporaryFolder folder;
  const Descriptor open = open_folder(folder);
  std::filesystem::create_directories(folder.path("sub/sub"));
  {
    Temporary temporary(open.number(), "sub", 0600);
    CHECK(temporary.replace("sub") == EISDIR);
  }
  CHECK(folder.names() == Names{"sub"});
}

TEST_CASE("a directory that cannot be written to is an error before anything is written") {
  const TemporaryFolder folder;
  const Descriptor open = open_folder(folder);
  ::chmod(folder.path("").c_str(), 0500);
  const WithoutPrivileges user;
  CHECK(refusal([&] { Temporary(open.number(), "out", 0600); }) ==
        "out: cannot create a file beside it: Permission denied");
}

TEST_CASE("names of temporaries are recognised, and no others") {
  CHECK(is_temporary_name(".ptsd-abcdefg7.tmp"));
  for (const char* other : {".ptsd-abcdefg.tmp", ".ptsd-abcdefgh.tmq", "_ptsd-abcdefgh.tmp",
                            ".ptsd-Abcdefgh.tmp", ".ptsd-abcdefgh.tmp~", ""}) {
    CHECK_FALSE(is_temporary_name(other));
  }
}

TEST_CASE("a temporary that a killed process left is found, one in use is not") {
  const TemporaryFolder folder;
  const Descriptor open = open_folder(folder);
  folder.write(".ptsd-stalestb.tmp", "");
  folder.write(".ptsd-stalesta.tmp", "");
  const std::string used = folder.write(".ptsd-inuseinu.tmp", "");
  folder.write("other", "");
  const Descriptor user(::open(used.c_str(), O_RDWR | O_CLOEXEC));
  REQUIRE(::flock(user.number(), LOCK_EX | LOCK_NB) == 0);
  CHECK(stale_temporaries(open.number()) == Names{".ptsd-stalesta.tmp", ".ptsd-stalestb.tmp"});
}

// What a process that registers "doomed" in the folder and sends itself the signals ends with.
int status_after(const TemporaryFolder& folder, const std::vector<int>& signals,
                 bool blocked = false) {
  const Descriptor open = open_folder(folder);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGXCPU})
      ::signal(number, SIG_DFL);
    prepare_signal_cleanup();
    const SignalCleanup cleanup(open.number(), "doomed");
    if (blocked) {
      const SignalsBlocked until_the_end;
      for (const int number : signals)
        ::raise(number);
      ::unlinkat(open.number(), "reached", 0);
    }
    for (const int number : signals)
      ::raise(number);
    ::_exit(7);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

TEST_CASE("a signal removes what is registered, and then ends the process as it would have") {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    const TemporaryFolder folder;
    folder.write("doomed", "");
    folder.write("other", "");
    CHECK(status_after(folder, {number}) == -number);
    CHECK(folder.names() == Names{"other"});
  }
}

TEST_CASE("a blocked signal comes when what it must not interrupt is done") {
  const TemporaryFolder folder;
  folder.write("doomed", "");
  folder.write("reached", "");
  CHECK(status_after(folder, {SIGTERM}, true) == -SIGTERM);
  CHECK(folder.names().empty());
}

TEST_CASE("what is no longer registered is not removed") {
  const TemporaryFolder folder;
  const Descriptor open = open_folder(folder);
  folder.write("kept", "");
  { const SignalCleanup cleanup(open.number(), "kept"); }
  CHECK(status_after(folder, {SIGINT}) == -SIGINT);
  CHECK(folder.names() == Names{"kept"});
}

}  // namespace
}  // namespace ptsd::file
