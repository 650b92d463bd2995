// SPDX-License-Identifier: Apache-2.0
#include "container/tar_reader.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "support/refusal.h"
#include "support/tar_assembler.h"

namespace ptsd::container {
namespace {

using namespace std::string_literals;
using test::tar_end;
using test::tar_member;
using test::tar_member_of_size;

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
  CHECK(names(tar_member("a", "") + tar_member("d", "", '5')) == Lines{"a="});
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

TEST_CASE("sizes are octal digits, or big-endian behind 0x80") {
  const auto listed = [](std::string_view size) { return names(tar_member_of_size(size, "x")); };
  const auto refused = [](std::string_view size) { return refusal(tar_member_of_size(size, "x")); };
  const std::string no_number = "f: +0x0: a tar header whose size is no number";
  CHECK(listed("00000000001") == Lines{"a=x"});
  CHECK(listed(" 1 ") == Lines{"a=x"});
  CHECK(listed("\x80\0\0\0\0\0\0\0\0\0\0\1"s) == Lines{"a=x"});
  CHECK(refused("\x80\0\0\0\x80\0\0\0\0\0\0\0"s) ==
        "f: +0x0: a member of 9223372036854775808 bytes, the archive has 512 more");
  CHECK(refused("\x80\0\0\1\0\0\0\0\0\0\0\0"s) == no_number);
  CHECK(refused("\x81\0\0\0\0\0\0\0\0\0\0\1"s) == no_number);
  CHECK(refused(std::string(12, '\xff')) == no_number);
  CHECK(refused("-0000000001") == no_number);
  CHECK(refused(std::string(12, ' ')) == no_number);
  CHECK(refused("00000000008") == no_number);
}

TEST_CASE("types that readers read differently are refused") {
  for (const char type : "12346gXKS7V"s) {
    CAPTURE(type);
    CHECK(refusal(tar_member("m", "", type) + tar_member("a", "x")) ==
          fmt::format("f: +0x0: a member of type '{}', which readers read differently: expected a "
                      "file ('0'), a directory ('5'), or 'x' or 'L' about one",
                      type));
  }
  CHECK(refusal(tar_member("d", "x", '5')) ==
        "f: +0x0: a directory of 1 bytes, which some readers skip: expected 0");
}

TEST_CASE("a member whose name readers read differently is refused") {
  const std::string slash = "a file 'a/', which some readers take for a directory";
  CHECK(refusal(tar_member("a/", "x")) == "f: +0x0: " + slash);
  CHECK(refusal(tar_member("x", "11 path=a/\n", 'x') + tar_member("b", "x")) ==
        "f: +0x400: " + slash);
  const std::string second =
      "f: +0x400: a second header about one member, of which readers believe one or the other";
  CHECK(refusal(tar_member("x", "10 path=a\n", 'x') + tar_member("L", "b", 'L')) == second);
  CHECK(refusal(tar_member("L", "b", 'L') + tar_member("L", "c", 'L')) == second);
  CHECK(names(tar_member("x", "8 path=\n", 'x') + tar_member("a", "x")) == Lines{"=x"});
  CHECK(refusal(tar_member("x", "21 GNU.sparse.name=a\n"s, 'x')) ==
        "f: +0x0: a sparse file in pax records, of which readers make different files");
  CHECK(refusal(tar_member("x", "10 path=aX", 'x')) == "f: +0x0: a broken pax record");
}

}  // namespace
}  // namespace ptsd::container
