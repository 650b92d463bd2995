// SPDX-License-Identifier: Apache-2.0
#include "container/tar_reader.h"

#include <doctest/doctest.h>

#include "support/refusal.h"
#include "support/tar_assembler.h"

namespace ptsd::container {
namespace {

using namespace std::string_literals;
using test::tar_end;
using test::tar_member;

MemorySource source_of(std::string_view bytes) {
  return {
      "f", {as_bytes(bytes).begin(), as_bytes(bytes).end()}
  };
}

std::vector<std::string> names(const std::string& bytes) {
  std::vector<std::string> all;
  const MemorySource source = source_of(bytes);
  for (const TarMember& member : read_tar(source)) {
    const auto data = source.read(member.offset, member.size);
    all.push_back(member.name + "=" + std::string(as_text(data)));
  }
  return all;
}

std::string refusal(const std::string& bytes) {
  return test::refused([&] { names(bytes); });
}

using Lines = std::vector<std::string>;

TEST_CASE("regular files are listed, with their data") {
  CHECK(names(tar_member("a", "x") + tar_member("b", std::string(512, 'y')) + tar_end()) ==
        Lines{"a=x", "b=" + std::string(512, 'y')});
  CHECK(names(tar_member("a", "") + tar_member("d", "", '5') + tar_member("l", "", '2')) ==
        Lines{"a="});
  CHECK(names(tar_end() + tar_member("a", "x")).empty());
}

TEST_CASE("long names and sizes stand in members of their own") {
  CHECK(names(tar_member("x", "12 path=abc\n", 'x') + tar_member("a", "x")) == Lines{"abc=x"});
  CHECK(names(tar_member("x", "10 size=2\n", 'x') + tar_member("a", "xy")) == Lines{"a=xy"});
  CHECK(names(tar_member("L", "long\0"s, 'L') + tar_member("a", "x") + tar_member("b", "y")) ==
        Lines{"long=x", "b=y"});
}

TEST_CASE("headers that are damaged and members that are cut are refused") {
  const std::string whole = tar_member("a", "x");
  std::string damaged = whole;
  damaged[0] = 'b';
  CHECK(refusal(damaged) == "f: +0x0: a tar header with a wrong checksum");
  damaged = whole;
  damaged[257] = 'U';
  CHECK(refusal(damaged) == "f: +0x0: a tar header without 'ustar'");
  CHECK(refusal(whole.substr(0, 512)) == "f: +0x0: a member of 1 bytes, the archive has 0 more");
  CHECK(names(whole.substr(0, 513)) == Lines{"a=x"});
  CHECK(refusal(tar_member("x", "99 path=abc\n", 'x')) == "f: +0x0: a broken pax record");
  CHECK(refusal(tar_member("x", "path", 'x')) == "f: +0x0: a broken pax record");
  CHECK(refusal(tar_member("x", "3 \n", 'x') + whole) == "");
  CHECK(refusal(tar_member("x", "11 size=-1\n", 'x')) ==
        "f: +0x0: a pax record whose size is no number");
}

}  // namespace
}  // namespace ptsd::container
