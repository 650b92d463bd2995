// SPDX-License-Identifier: Apache-2.0
#include "container/zip_end.h"

#include <string>

#include <doctest/doctest.h>

#include "container/zip_format.h"
#include "opened.h"

namespace ptsd::container {
namespace {

using test::error_of;
using test::error_of_opening;
using test::Opened;
using test::text_of;
using test::zip;
using test::ZipAssembler;

// Headers at 0x0 and 0x2e, the directory at 0x57, the end record at 0xc6, 220 bytes.
ZipAssembler two_members() {
  return zip().member("m/data.pkl", "pickle").member("m/version", "3\n");
}

// The zip64 end record at 0xc6, the locator at 0xfe, the end record at 0x112.
ZipAssembler two_members_zip64() {
  return two_members().zip64_end();
}

std::string error_of_opening_text(std::string_view text) {
  const Bytes bytes = as_bytes(text);
  return error_of([bytes] {
    const Opened opened({
        "m.pt", {bytes.begin(), bytes.end()}
    });
  });
}

std::string error_of_opening_prefix(std::size_t size) {
  return error_of_opening_text(two_members().text().substr(0, size));
}

TEST_CASE("an archive with and without zip64 end records is opened") {
  CHECK(Opened(two_members()).zip.members().size() == 2);
  CHECK(Opened(two_members_zip64()).zip.members().size() == 2);
  CHECK(Opened(two_members()).zip.warnings().empty());
}

TEST_CASE("an archive without members is opened") {
  CHECK(Opened(zip()).zip.members().empty());
  CHECK(Opened(zip().torch_layout()).zip.members().empty());
}

TEST_CASE("what does not begin like a zip archive is none") {
  CHECK(error_of_opening_text("") ==
        "malformed: m.pt: not a zip archive: no end record in the last 64 KiB");
  CHECK(error_of_opening_text("P") ==
        "malformed: m.pt: not a zip archive: no end record in the last 64 KiB");
  CHECK(error_of_opening_text(std::string(100'000, 'x')) ==
        "malformed: m.pt: not a zip archive: no end record in the last 64 KiB");
}

TEST_CASE("a file cut short in a member names the local headers it has") {
  CHECK(error_of_opening_prefix(4) ==
        "malformed: m.pt: cut short: no end record in the last 64 KiB; it begins like a zip "
        "archive");
  CHECK(error_of_opening_prefix(0x30) ==
        "malformed: m.pt: cut short: no end record in the last 64 KiB; local headers found in the "
        "first MiB: 'm/data.pkl' at 0x0, 1 in all");
}

TEST_CASE("a file cut short in the directory or in the end record names the local headers") {
  const std::string expected =
      "malformed: m.pt: cut short: no end record in the last 64 KiB; local headers found in the "
      "first MiB: 'm/data.pkl' at 0x0, 'm/version' at 0x2e, 2 in all";
  CHECK(error_of_opening_prefix(0x60) == expected);
  CHECK(error_of_opening_prefix(0xc6) == expected);
  CHECK(error_of_opening_prefix(219) == expected);
}

TEST_CASE("the hint for a file cut short names three local headers and counts the rest") {
  ZipAssembler made;
  for (const char c : std::string("abcde")) {
    made.member(std::string("m/") + c, "");
  }
  CHECK(error_of_opening_text(made.text().substr(0, 160)) ==
        "malformed: m.pt: cut short: no end record in the last 64 KiB; local headers found in the "
        "first MiB: 'm/a' at 0x0, 'm/b' at 0x21, 'm/c' at 0x42, 4 in all");
}

TEST_CASE("a directory past the end of the file is refused") {
  CHECK(error_of_opening(two_members().end(end_record::kDirectoryOffset, 0x1000)) ==
        "malformed: m.pt: +0xc6: the central directory is said to be 111 bytes at 0x1000, past the "
        "end record at 0xc6");
  CHECK(error_of_opening(two_members().end(end_record::kDirectorySize, 0xFFFFFFFE)) ==
        "malformed: m.pt: +0xc6: the central directory is said to be 4294967294 bytes at 0x57, "
        "past the end record at 0xc6");
}

TEST_CASE("a 64-bit directory that wraps around is refused") {
  CHECK(error_of_opening(two_members_zip64()
                             .end(end_record::kDirectoryOffset, kMarker32)
                             .zip64(zip64_end::kDirectoryOffset, 0xFFFFFFFFFFFFFFFF)) ==
        "malformed: m.pt: +0x112: the central directory is said to be 111 bytes at "
        "0xffffffffffffffff, past the end record at 0xc6");
  CHECK(error_of_opening(two_members_zip64()
                             .end(end_record::kDirectorySize, kMarker32)
                             .zip64(zip64_end::kDirectorySize, 0xFFFFFFFFFFFFFFF0)) ==
        "malformed: m.pt: +0x112: the central directory is said to be 18446744073709551600 bytes "
        "at 0x57, past the end record at 0xc6");
}

TEST_CASE("a directory that is not where the end record says is refused") {
  CHECK(error_of_opening(two_members().end(end_record::kDirectoryOffset, 0x56)) ==
        "malformed: m.pt: +0xc6: no central directory at 0x56, where the end record says that it "
        "is");
}

TEST_CASE("the end record and the zip64 end record must agree unless a field is the marker") {
  CHECK(error_of_opening(two_members_zip64().end(end_record::kCount, 1)) ==
        "malformed: m.pt: +0x112: the end record and the zip64 end record disagree: entries 1 and "
        "2");
  CHECK(error_of_opening(two_members_zip64().end(end_record::kCountOnDisk, 1)) ==
        "malformed: m.pt: +0x112: the end record and the zip64 end record disagree: entries on "
        "this disk 1 and 2");
  CHECK(error_of_opening(two_members_zip64().end(end_record::kDirectorySize, 0)) ==
        "malformed: m.pt: +0x112: the end record and the zip64 end record disagree: directory size "
        "0 and 111");
  CHECK(error_of_opening(two_members_zip64().end(end_record::kDirectoryOffset, 1)) ==
        "malformed: m.pt: +0x112: the end record and the zip64 end record disagree: directory "
        "offset 1 and 87");
  CHECK(error_of_opening(two_members_zip64().end(end_record::kDisk, 1)) ==
        "malformed: m.pt: +0x112: the end record and the zip64 end record disagree: disk number 1 "
        "and 0");
  CHECK(error_of_opening(two_members_zip64()
                             .end(end_record::kCount, kMarker16)
                             .end(end_record::kCountOnDisk, kMarker16)
                             .end(end_record::kDirectorySize, kMarker32)
                             .end(end_record::kDirectoryOffset, kMarker32)) == "no error");
}

TEST_CASE("a zip64 locator that points elsewhere is refused") {
  CHECK(error_of_opening(two_members_zip64().locator(zip64_locator::kEndOffset, 0xc5)) ==
        "malformed: m.pt: +0xfe: the zip64 locator points to 0xc5, where no zip64 end record is");
  CHECK(error_of_opening(
            two_members_zip64().locator(zip64_locator::kEndOffset, 0xFFFFFFFFFFFFFFFF)) ==
        "malformed: m.pt: +0xfe: the zip64 locator points to 0xffffffffffffffff, where no zip64 "
        "end record is");
}

TEST_CASE("a zip64 end record that does not end at its locator is refused") {
  CHECK(error_of_opening(two_members_zip64().zip64(zip64_end::kRecordSize, 45)) ==
        "malformed: m.pt: +0xc6: the zip64 end record is said to be 45 bytes after its first 12, "
        "its locator is at 0xfe");
  CHECK(error_of_opening(two_members_zip64().zip64(zip64_end::kRecordSize, 0xFFFFFFFFFFFFFFFF)) ==
        "malformed: m.pt: +0xc6: the zip64 end record is said to be 18446744073709551615 bytes "
        "after its first 12, its locator is at 0xfe");
}

TEST_CASE("of two end records the one with a directory is taken, and the last is reported") {
  const Opened opened(two_members().comment(std::string("PK\5\6", 4) + std::string(18, '\0')));
  CHECK(opened.zip.members().size() == 2);
  CHECK(text_of(opened.zip.warnings()) ==
        "+0xdc: looks like an end record and is none; PyTorch takes it for one and fails\n");
}

TEST_CASE("two end records that both have a directory are refused") {
  const std::string second =
      std::string("PK\5\6", 4) + std::string(4, '\0') + two_members().text().substr(0xc6 + 8, 14);
  CHECK(error_of_opening(two_members().comment(second)) ==
        "malformed: m.pt: +0xdc: a second end record with a directory; the first is at 0xc6");
}

TEST_CASE("bytes after the end record are counted in a warning") {
  const Opened opened(two_members().trailing("0123456789"));
  CHECK(opened.zip.members().size() == 2);
  CHECK(text_of(opened.zip.warnings()) == "+0xdc: 10 bytes after the end record\n");
}

TEST_CASE("more bytes after the end record than PyTorch searches hide it") {
  CHECK(Opened(two_members().trailing(std::string(65535, 'x'))).zip.members().size() == 2);
  CHECK(error_of_opening(two_members().trailing(std::string(65536, 'x'))) ==
        "malformed: m.pt: cut short: no end record in the last 64 KiB; local headers found in the "
        "first MiB: 'm/data.pkl' at 0x0, 'm/version' at 0x2e, 2 in all");
}

TEST_CASE("an archive comment is part of the end record") {
  CHECK(Opened(two_members().comment("made by hand")).zip.warnings().empty());
}

TEST_CASE("an archive comment that is cut short is reported") {
  const Opened opened(two_members().comment("made by hand").end(end_record::kCommentSize, 20));
  CHECK(text_of(opened.zip.warnings()) ==
        "+0xc6: the archive comment is said to be 20 bytes, 12 are there\n");
}

TEST_CASE("bytes before the archive are refused whether the offsets count them or not") {
  const std::string prefix(10, 'x');
  CHECK(error_of_opening_text(prefix + two_members().text()) ==
        "malformed: m.pt: +0xd0: no central directory at 0x57, where the end record says that it "
        "is");
  CHECK(error_of_opening(
            zip().gap(prefix).member("m/data.pkl", "pickle").member("m/version", "3\n")) ==
        "malformed: m.pt: +0x0: 10 bytes before the first local header: PyTorch looks for it where "
        "the file begins");
}

TEST_CASE("a part of a split archive is refused") {
  CHECK(error_of_opening(two_members().end(end_record::kDisk, 1)) ==
        "unsupported: m.pt: +0xc6: part of a split archive: disk 1, 2 of 2 entries");
  CHECK(error_of_opening(two_members().end(end_record::kCountOnDisk, 1)) ==
        "unsupported: m.pt: +0xc6: part of a split archive: disk 0, 1 of 2 entries");
  CHECK(error_of_opening(two_members().end(end_record::kDirectoryDisk, 2)) ==
        "unsupported: m.pt: +0xc6: part of a split archive: disk 0, 2 of 2 entries");
  CHECK(error_of_opening(two_members_zip64().locator(zip64_locator::kDiskCount, 2)) ==
        "unsupported: m.pt: +0xfe: part of a split archive: disk 0 of 2");
  CHECK(error_of_opening(two_members().central(central_header::kDisk, 1)) ==
        "unsupported: m.pt: +0x8f: part of a split archive: 'm/version' is on disk 1");
}

TEST_CASE("a directory larger than the limit is refused before it is read") {
  const MemorySource source = two_members().source();
  Limits limits;
  limits.directory_bytes = 110;
  CHECK(error_of([&] { const ZipReader reader(source, limits); }) ==
        "limit: m.pt: +0x57: the central directory is 111 bytes, directory-bytes allows 110");
}

}  // namespace
}  // namespace ptsd::container
