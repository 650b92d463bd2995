// SPDX-License-Identifier: Apache-2.0
#include "report/output.h"

#include <fcntl.h>
#include <string>
#include <thread>
#include <unistd.h>

#include <doctest/doctest.h>

#include "base/error.h"

namespace ptsd::report {
namespace {

std::string read_all(int descriptor) {
  std::string text;
  char chunk[4096];
  while (true) {
    const ssize_t count = read(descriptor, chunk, sizeof chunk);
    if (count <= 0) return text;
    text.append(chunk, static_cast<std::size_t>(count));
  }
}

TEST_CASE("what was written arrives, however much it is") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  std::string received;
  std::thread reader([&] { received = read_all(ends[0]); });
  std::string sent;
  Output output(Color::Never, ends[1]);
  for (int i = 0; i < 100000; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    sent += line;
    output.write(line);
  }
  output.finish();
  close(ends[1]);
  reader.join();
  close(ends[0]);
  CHECK(received == sent);
}

TEST_CASE("little is written before the answer is complete") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  {
    Output output(Color::Never, ends[1]);
    output.write("half an answer");
  }
  close(ends[1]);
  CHECK(read_all(ends[0]).empty());
  close(ends[0]);
}

TEST_CASE("a pipe is no terminal and has no width") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const Output output(Color::Never, ends[1]);
  CHECK_FALSE(output.is_terminal());
  CHECK(output.columns() == 0);
  close(ends[0]);
  close(ends[1]);
}

TEST_CASE("a full disk is an error") {
  const int full = open("/dev/full", O_WRONLY);
  REQUIRE(full >= 0);
  Output output(Color::Never, full);
  output.write("x");
  CHECK_THROWS_WITH_AS(output.finish(), "standard output: cannot write: No space left on device",
                       Error);
  close(full);
}

TEST_CASE("a descriptor that is closed is an error even if nothing was written") {
  Output output(Color::Never, 1000);
  CHECK_THROWS_WITH_AS(output.finish(), "standard output: cannot write: Bad file descriptor",
                       Error);
}

}  // namespace
}  // namespace ptsd::report
