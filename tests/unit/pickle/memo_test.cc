// SPDX-License-Identifier: Apache-2.0
#include "pickle/memo.h"

#include <doctest/doctest.h>

namespace ptsd::pickle {
namespace {

TEST_CASE("a slot that was never set holds nothing") {
  Memo memo;
  CHECK(!memo.get(0));
  memo.put(3, NodeId{7});
  CHECK(!memo.get(0));
  CHECK(!memo.get(4));
  CHECK(memo.get(3) == NodeId{7});
}

TEST_CASE("the count is of slots and not of puts") {
  Memo memo;
  memo.put(1, NodeId{1});
  memo.put(1, NodeId{2});
  memo.put(1'000'000, NodeId{3});
  memo.put(1'000'000, NodeId{4});
  CHECK(memo.count() == 2);
  CHECK(memo.get(1) == NodeId{2});
  CHECK(memo.get(1'000'000) == NodeId{4});
}

TEST_CASE("a wild index that the dense part grows past is still found, and can be set again") {
  Memo memo;
  memo.put(100, NodeId{1});
  for (std::uint32_t i = 0; i < 100; ++i) {
    memo.put(i, NodeId{i + 1000});
  }
  memo.put(101, NodeId{2});
  CHECK(memo.get(100) == NodeId{1});
  memo.put(100, NodeId{3});
  CHECK(memo.get(100) == NodeId{3});
  CHECK(memo.count() == 102);
}

TEST_CASE("the largest indices take no more room than small ones") {
  Memo memo;
  memo.put(~std::uint64_t{0}, NodeId{1});
  memo.put(~std::uint64_t{0} >> 1, NodeId{2});
  CHECK(memo.get(~std::uint64_t{0}) == NodeId{1});
  CHECK(memo.count() == 2);
}

}  // namespace
}  // namespace ptsd::pickle
