// SPDX-License-Identifier: Apache-2.0
#include "container/zip_layout.h"

#include <array>
#include <string>

#include <doctest/doctest.h>

#include "container/zip_format.h"
#include "opened.h"

namespace ptsd::container {
namespace {

using test::error_of;
using test::error_of_opening;
using test::error_of_reading;
using test::Opened;
using test::zip;
using test::ZipAssembler;

// Headers at 0x0 and 0x32, 16 bytes of data in each, the directory at 0x64.
ZipAssembler two_members() {
  const std::string data(16, 'x');
  return zip().member("m/ab", data).member("m/cd", data);
}

Member member_at(std::uint64_t offset, std::uint64_t size) {
  return {.name = "m/ab", .header_offset = offset, .compressed_size = size, .size = size};
}

std::string error_of_layout(std::span<const Member> members) {
  const MemorySource source("m.pt", {});
  return error_of([&] { const Layout layout(source, members, 1000); });
}

TEST_CASE("members are found by place in whatever order the directory has them") {
  const MemorySource source("m.pt", {});
  const auto members =
      std::to_array<Member>({member_at(200, 5), member_at(0, 5), member_at(100, 5)});
  const Layout layout(source, members, 1000);
  CHECK(&layout.at(0) == &members[1]);
  CHECK(layout.limit(members[0]) == 1000);
  CHECK(layout.limit(members[1]) == 100);
  CHECK(layout.limit(members[2]) == 200);
}

TEST_CASE("members may touch and may not share a byte") {
  CHECK(error_of_layout(std::to_array({member_at(0, 16), member_at(50, 16)})) == "no error");
  CHECK(error_of_layout(std::to_array({member_at(0, 17), member_at(50, 16)})) ==
        "malformed: m.pt: +0x32: 'm/ab' begins inside 'm/ab', which reaches to 0x33 at least");
  CHECK(error_of_layout(std::to_array({member_at(50, 16), member_at(0, 17)})) ==
        "malformed: m.pt: +0x32: 'm/ab' begins inside 'm/ab', which reaches to 0x33 at least");
}

TEST_CASE("two members that share one local header are refused") {
  CHECK(error_of_opening(two_members().central(central_header::kHeaderOffset, 0)) ==
        "malformed: m.pt: +0x0: 'm/ab' and 'm/cd' share one local header");
}

TEST_CASE("a member that lies wholly inside another is refused") {
  const ZipAssembler made = zip()
                                .member("m/ab", two_members().text())
                                .member("m/cd", "")
                                .central(central_header::kHeaderOffset, 0x22);
  CHECK(error_of_opening(made) ==
        "malformed: m.pt: +0x22: 'm/cd' begins inside 'm/ab', which reaches to 0x100 at least");
}

TEST_CASE("a member quoted by the deflated data of another is refused") {
  const std::string inner = zip().member("m/cd", "").text();
  const ZipAssembler made = zip()
                                .raw("m/ab", "\1\x23\0\xdc\xff" + inner.substr(0, 35), 35, 0)
                                .member("m/cd", "")
                                .central(central_header::kHeaderOffset, 0x27);
  CHECK(error_of_opening(made).find("begins inside 'm/ab'") != std::string::npos);
}

TEST_CASE("data that an extra field pushes into the next member or the directory are refused") {
  CHECK(error_of_reading(zip()
                             .member("m/ab", "0123456789abcdef")
                             .local(local_header::kExtraSize, 1)
                             .member("m/cd", ""),
                         "m/ab") ==
        "malformed: m.pt: +0x0: 'm/ab' has 16 bytes of data at 0x23, but 0x32 belongs to what "
        "follows");
  CHECK(error_of_reading(two_members().local(local_header::kExtraSize, 0xFFFF), "m/cd") ==
        "malformed: m.pt: +0x32: 'm/cd' has 16 bytes of data at 0x10053, but 0x64 belongs to what "
        "follows");
}

}  // namespace
}  // namespace ptsd::container
