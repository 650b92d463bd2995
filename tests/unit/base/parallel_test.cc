// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.h"

#include <array>
#include <atomic>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>

namespace ptsd {
namespace {

TEST_CASE("every number is worked on once, whatever the number of threads") {
  for (const unsigned threads : {1u, 2u, 7u}) {
    std::array<std::atomic<int>, 1000> calls = {};
    parallel_for(threads, calls.size(), [&](std::size_t i) { ++calls[i]; });
    bool once = true;
    for (const std::atomic<int>& count : calls) {
      once = once && count == 1;
    }
    CHECK(once);
  }
}

TEST_CASE("nothing to do is done") {
  parallel_for(4, 0, [](std::size_t) { FAIL("called"); });
}

TEST_CASE("of several failures the lowest number's is thrown") {
  for (int round = 0; round < 50; ++round) {
    std::string message;
    try {
      parallel_for(4, 1000, [](std::size_t i) {
        if (i >= 100) throw std::runtime_error(std::to_string(i));
      });
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
    CHECK(message == "100");
  }
}

}  // namespace
}  // namespace ptsd
