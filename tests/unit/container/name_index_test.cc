// SPDX-License-Identifier: Apache-2.0
#include "container/name_index.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace ptsd::container {
namespace {

std::vector<Member> members_of(const std::vector<std::string>& names) {
  std::vector<Member> members;
  for (const std::string& name : names) {
    members.push_back({.name = name});
  }
  return members;
}

TEST_CASE("an index of no members finds nothing") {
  const NameIndex index({});
  CHECK(index.find("") == nullptr);
  CHECK(index.find("m/data.pkl") == nullptr);
}

TEST_CASE("every one of many members is found, exactly and without case") {
  std::vector<std::string> names;
  for (int i = 0; i < 20'000; ++i) {
    names.push_back("archive/Data/" + std::to_string(i));
  }
  const std::vector<Member> members = members_of(names);
  const NameIndex index(members);
  REQUIRE(!index.clash());
  for (const Member& member : members) {
    std::string lower(member.name);
    lower[8] = 'd';
    REQUIRE(index.find(member.name) == &member);
    REQUIRE(index.find(lower) == nullptr);
    REQUIRE(index.find_ignoring_case(lower) == &member);
  }
}

TEST_CASE("two thousand names of 60 KB are indexed in linear time") {
  // They share their bytes, as views into one directory cannot, to spare the memory.
  const std::string long_text(62'000, 'x');
  std::vector<Member> members;
  for (std::size_t i = 0; i < 2'000; ++i) {
    members.push_back({.name = std::string_view(long_text).substr(0, 60'000 + i)});
  }
  const NameIndex index(members);
  CHECK(!index.clash());
  CHECK(index.find(members[7].name) == &members[7]);
}

TEST_CASE("a million equal names end the index at the second") {
  const std::vector<Member> members(1'000'000, Member{.name = "m/data.pkl"});
  const NameIndex index(members);
  REQUIRE(index.clash());
  CHECK(index.clash()->first == &members[0]);
  CHECK(index.clash()->second == &members[1]);
}

TEST_CASE("names that are equal without case clash at any length and place") {
  const std::string lower = "abcdefghijklmnopqrstuvwxyz";
  for (std::size_t size = 1; size <= lower.size(); ++size) {
    for (std::size_t i = 0; i < size; ++i) {
      std::string upper = lower.substr(0, size);
      upper[i] = static_cast<char>(upper[i] - 'a' + 'A');
      CHECK(equal_ignoring_case(upper, lower.substr(0, size)));
      CHECK(NameIndex(members_of({lower.substr(0, size), upper})).clash().has_value());
    }
  }
}

TEST_CASE("only the letters of ASCII lose their case") {
  for (int c = 0; c < 256; ++c) {
    for (int d = 0; d < 256; ++d) {
      const auto lower = [](int x) { return x >= 'A' && x <= 'Z' ? x - 'A' + 'a' : x; };
      const std::string a(1, static_cast<char>(c));
      const std::string b(1, static_cast<char>(d));
      REQUIRE(equal_ignoring_case(a, b) == (lower(c) == lower(d)));
    }
  }
}

}  // namespace
}  // namespace ptsd::container
