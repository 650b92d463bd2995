// SPDX-License-Identifier: Apache-2.0
#include "container/zip_directory.h"

#include <string>

#include <doctest/doctest.h>

#include "base/crc32.h"
#include "container/zip_format.h"
#include "opened.h"

namespace ptsd::container {
namespace {

using test::error_of_opening;
using test::extra_field;
using test::little_endian;
using test::Opened;
using test::text_of;
using test::zip;
using test::ZipAssembler;

// Headers at 0x0 and 0x2e, central headers at 0x57 and 0x8f, the end record at 0xc6.
ZipAssembler two_members() {
  return zip().member("m/data.pkl", "pickle").member("m/version", "3\n");
}

TEST_CASE("members are listed in the order of the directory") {
  const Opened opened(two_members());
  const Member& member = opened.zip.members()[1];
  CHECK(opened.zip.members()[0].name == "m/data.pkl");
  CHECK(member.name == "m/version");
  CHECK(member.header_offset == 0x2e);
  CHECK(member.compressed_size == 2);
  CHECK(member.size == 2);
  CHECK(member.crc == crc32(as_bytes("3\n")));
  CHECK(member.method == method::kStored);
  CHECK(member.flags == 0);
  CHECK(opened.zip.entry_offset(member) == 0x8f);
  CHECK(opened.zip.directory_offset() == 0x57);
}

TEST_CASE("a count higher than the entries is refused") {
  CHECK(
      error_of_opening(two_members().end(end_record::kCount, 3).end(end_record::kCountOnDisk, 3)) ==
      "malformed: m.pt: +0xc6: the end record counts 3 entries, the central directory holds 2");
}

TEST_CASE("a count that no directory could hold allocates nothing") {
  CHECK(error_of_opening(two_members()
                             .zip64_end()
                             .end(end_record::kCount, kMarker16)
                             .end(end_record::kCountOnDisk, kMarker16)
                             .zip64(zip64_end::kCount, 0xFFFFFFF0)
                             .zip64(zip64_end::kCountOnDisk, 0xFFFFFFF0)) ==
        "malformed: m.pt: +0xc6: the end record counts 4294967280 entries, the central directory "
        "holds 2");
  CHECK(error_of_opening(two_members()
                             .zip64_end()
                             .end(end_record::kCount, kMarker16)
                             .end(end_record::kCountOnDisk, kMarker16)
                             .zip64(zip64_end::kCount, 0xFFFFFFFFFFFFFFFF)
                             .zip64(zip64_end::kCountOnDisk, 0xFFFFFFFFFFFFFFFF)) ==
        "limit: m.pt: +0xc6: 18446744073709551615 entries, at most 4294967294 can be read");
}

TEST_CASE("a count lower than the entries is refused with the names of the others") {
  CHECK(
      error_of_opening(two_members().end(end_record::kCount, 1).end(end_record::kCountOnDisk, 1)) ==
      "malformed: m.pt: +0x8f: the end record counts 1 entries, but more follow: 'm/version', 1 "
      "in all");
}

TEST_CASE("entries between the directory and the end record are refused with their names") {
  const ZipAssembler shorter = two_members()
                                   .end(end_record::kCount, 1)
                                   .end(end_record::kCountOnDisk, 1)
                                   .end(end_record::kDirectorySize, 56);
  CHECK(error_of_opening(shorter) ==
        "malformed: m.pt: +0x8f: the end record counts 1 entries, but more follow: 'm/version', 1 "
        "in all");
}

TEST_CASE("bytes after the last entry of the directory are refused") {
  CHECK(error_of_opening(two_members().before_end("12345").end(end_record::kDirectorySize, 116)) ==
        "malformed: m.pt: +0xc6: the central directory holds 5 bytes after its last entry");
}

TEST_CASE("an entry that is no central header is refused") {
  CHECK(error_of_opening(two_members().central(kSignatureField, 0x12345678)) ==
        "malformed: m.pt: +0x8f: 0x12345678 where a central header should begin");
}

TEST_CASE("a name, an extra field or a comment past the end of the directory is refused") {
  CHECK(error_of_opening(two_members().central(central_header::kNameSize, 10)) ==
        "malformed: m.pt: +0xbd: the data ends inside the name of a member: 10 bytes wanted, 9 "
        "left");
  CHECK(error_of_opening(two_members().central(central_header::kExtraSize, 1)) ==
        "malformed: m.pt: +0xc6: the extra fields are said to be 1 bytes, 0 are left");
  CHECK(error_of_opening(two_members().central(central_header::kCommentSize, 1)) ==
        "malformed: m.pt: +0xc6: the data ends inside the comment of a member: 1 bytes wanted, 0 "
        "left");
}

TEST_CASE("a header or data past the central directory are refused") {
  CHECK(error_of_opening(two_members().central(central_header::kHeaderOffset, 0xFFFFFFFE)) ==
        "malformed: m.pt: +0x8f: 'm/version' has its header at 0xfffffffe and 2 bytes of data, but "
        "the central directory begins at 0x57");
  CHECK(error_of_opening(two_members().central(central_header::kHeaderOffset, 0x2f)) ==
        "malformed: m.pt: +0x8f: 'm/version' has its header at 0x2f and 2 bytes of data, but the "
        "central directory begins at 0x57");
}

TEST_CASE("64-bit offsets and sizes that wrap around are refused") {
  const std::string huge = little_endian(0xFFFFFFFFFFFFFFF0, 8);
  CHECK(error_of_opening(two_members()
                             .central(central_header::kHeaderOffset, kMarker32)
                             .central_extra(extra_field(extra::kZip64, huge))) ==
        "malformed: m.pt: +0x8f: 'm/version' has its header at 0xfffffffffffffff0 and 2 bytes of "
        "data, but the central directory begins at 0x57");
  CHECK(error_of_opening(two_members()
                             .central(central_header::kCompressedSize, kMarker32)
                             .central(central_header::kUncompressedSize, kMarker32)
                             .central_extra(extra_field(extra::kZip64, huge + huge))) ==
        "malformed: m.pt: +0x8f: 'm/version' has its header at 0x2e and 18446744073709551600 bytes "
        "of data, but the central directory begins at 0x57");
}

TEST_CASE("zip64 values stand in for the fields that hold the marker, in order") {
  const std::string values = little_endian(2, 8) + little_endian(0x2e, 8);
  const Opened opened(
      two_members()
          .central(central_header::kUncompressedSize, kMarker32)
          .central(central_header::kHeaderOffset, kMarker32)
          .central_extra(extra_field(0x5455, "time") + extra_field(extra::kZip64, values)));
  CHECK(opened["m/version"].size == 2);
  CHECK(opened["m/version"].compressed_size == 2);
  CHECK(opened["m/version"].header_offset == 0x2e);
  CHECK(opened.read("m/version") == "3\n");
}

TEST_CASE("a zip64 marker without values is refused") {
  CHECK(error_of_opening(two_members().central(central_header::kHeaderOffset, kMarker32)) ==
        "malformed: m.pt: +0x8f: the header of 'm/version' leaves values to extra field 0x0001 "
        "(zip64), which is missing");
  CHECK(error_of_opening(two_members()
                             .central(central_header::kHeaderOffset, kMarker32)
                             .central_extra(extra_field(extra::kZip64, "1234567"))) ==
        "malformed: m.pt: +0xc6: extra field 0x0001 (zip64) is 7 bytes, too short for what the "
        "header leaves to it");
}

TEST_CASE("two zip64 fields in one header are refused") {
  const std::string field = extra_field(extra::kZip64, little_endian(0x2e, 8));
  CHECK(error_of_opening(two_members().central_extra(field + field)) ==
        "malformed: m.pt: +0x8f: extra field 0x0001 (zip64) of 'm/version' stands twice");
}

TEST_CASE("an extra field longer than what is left is refused with its id") {
  CHECK(error_of_opening(two_members().central_extra(std::string("\x55\x54\x09\x00time", 8))) ==
        "malformed: m.pt: +0xc6: extra field 0x5455 is said to be 9 bytes, 4 are left");
  CHECK(error_of_opening(two_members().central_extra("abc")) ==
        "malformed: m.pt: +0xc6: 3 stray bytes after the last extra field");
}

TEST_CASE("another name in a Unicode path field is reported") {
  const std::string head = std::string(1, '\1') + little_endian(crc32(as_bytes("m/version")), 4);
  CHECK(text_of(
            Opened(two_members().central_extra(extra_field(extra::kUnicodePath, head + "m/other")))
                .zip.warnings()) ==
        "+0x8f: 1 members have another name in extra field 0x7075 (Unicode path), which PyTorch "
        "ignores; the first is 'm/version'\n");
  CHECK(Opened(two_members().central_extra(extra_field(extra::kUnicodePath, head + "m/version")))
            .zip.warnings()
            .empty());
}

TEST_CASE("a stored member whose two sizes differ is refused") {
  CHECK(error_of_opening(two_members().central(central_header::kUncompressedSize, 3)) ==
        "malformed: m.pt: +0x8f: 'm/version' is stored, and said to be 2 bytes that make 3");
}

}  // namespace
}  // namespace ptsd::container
