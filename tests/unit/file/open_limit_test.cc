// SPDX-License-Identifier: Apache-2.0
#include "file/open_limit.h"

#include <sys/resource.h>

#include <doctest/doctest.h>

#include "file/input_file.h"
#include "temporary_folder.h"

namespace ptsd::file {
namespace {

// Puts the limit back.
class OpenLimit {
 public:
  OpenLimit() { REQUIRE(::getrlimit(RLIMIT_NOFILE, &before_) == 0); }
  ~OpenLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
  OpenLimit(const OpenLimit&) = delete;
  OpenLimit& operator=(const OpenLimit&) = delete;

  static rlim_t soft() {
    rlimit now = {};
    REQUIRE(::getrlimit(RLIMIT_NOFILE, &now) == 0);
    return now.rlim_cur;
  }
  void lower(rlim_t count) const {
    const rlimit lowered = {.rlim_cur = count, .rlim_max = before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_NOFILE, &lowered) == 0);
  }
  rlim_t hard() const { return before_.rlim_max; }

 private:
  rlimit before_ = {};
};

TEST_CASE("as many files can be open as the system allows") {
  const OpenLimit limit;
  limit.lower(8);
  raise_open_limit();
  CHECK(OpenLimit::soft() == limit.hard());
}

TEST_CASE("one file more than that is an error that says why") {
  const TemporaryFolder folder;
  const std::string path = folder.write("a", "0");
  const OpenLimit limit;
  limit.lower(0);
  CHECK(refusal([&] { InputFile{path}; }) ==
        path + ": cannot open: more files than the system lets a process open (ulimit -n)");
}

}  // namespace
}  // namespace ptsd::file
