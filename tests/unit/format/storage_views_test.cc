// SPDX-License-Identifier: Apache-2.0
#include "format/storage_views.h"

#include <doctest/doctest.h>

namespace ptsd::format {
namespace {

bool nothing_else(std::string_view) {
  return false;
}

TEST_CASE("views share bytes where their ranges in one root overlap") {
  const StorageView first = {.key = "1", .root = "0", .offset = 0, .count = 4};
  const StorageView inside = {.key = "2", .root = "0", .offset = 1, .count = 1};
  const StorageView end = {.key = "3", .root = "0", .offset = 3, .count = 2};
  const StorageView behind = {.key = "4", .root = "0", .offset = 5, .count = 1};
  const StorageView other = {.key = "5", .root = "9", .offset = 0, .count = 4};
  const StorageView empty = {.key = "6", .root = "0", .offset = 1, .count = 0};
  CHECK(!shared_bytes({}, nothing_else));
  CHECK(!shared_bytes({first, behind, other, empty}, nothing_else));
  CHECK(shared_bytes({behind, end, other, inside, first}, nothing_else) ==
        "storages that share bytes with others, until they are written anew: 2, the first is '2', "
        "a view of '0'");
}

TEST_CASE("a view shares the bytes of a root that is in use") {
  const auto is_used = [](std::string_view key) { return key == "9"; };
  const StorageView view = {.key = "5", .root = "9", .offset = 0, .count = 4};
  CHECK(shared_bytes({view}, is_used).has_value());
  CHECK(!shared_bytes({view}, nothing_else));
}

}  // namespace
}  // namespace ptsd::format
