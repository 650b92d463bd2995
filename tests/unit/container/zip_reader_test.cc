// SPDX-License-Identifier: Apache-2.0
#include "container/zip_reader.h"

#include <string>

#include <doctest/doctest.h>

#include "base/crc32.h"
#include "container/zip_format.h"
#include "opened.h"

namespace ptsd::container {
namespace {

using test::error_of;
using test::error_of_opening;
using test::error_of_reading;
using test::extra_field;
using test::little_endian;
using test::Opened;
using test::text_of;
using test::zip;
using test::ZipAssembler;

// The header of m/data.pkl at 0x0, that of m/version at 0x2e.
ZipAssembler two_members() {
  return zip().member("m/data.pkl", "pickle").member("m/version", "3\n");
}

ZipAssembler torch_members() {
  return zip()
      .torch_layout()
      .member("m/data.pkl", "pickle")
      .member("m/data/0", "")
      .member("m/data/1", std::string(100, 'x'))
      .member("m/version", "3\n");
}

std::string warning_of_reading(const ZipAssembler& made, std::string_view name) {
  const Opened opened(made);
  const auto warning = opened.zip.read(opened[name], 1000).warning;
  return warning ? text_of({&*warning, 1}) : "";
}

TEST_CASE("stored and deflated members are read") {
  const std::string long_text(10'000, 'a');
  const Opened opened(zip().member("m/a", "stored").deflated("m/b", long_text).member("m/c", ""));
  CHECK(opened.read("m/a") == "stored");
  CHECK(opened.read("m/b") == long_text);
  CHECK(opened.read("m/c").empty());
}

TEST_CASE("members in PyTorch's layout are read and lie at the alignment") {
  const Opened opened(torch_members());
  for (const Member& member : opened.zip.members()) {
    CHECK(opened.zip.data_offset(member) % 64 == 0);
  }
  CHECK(opened.read("m/data.pkl") == "pickle");
  CHECK(opened.read("m/data/0").empty());
  CHECK(opened.read("m/data/1") == std::string(100, 'x'));
}

TEST_CASE("in PyTorch's layout data offsets are predicted without a read") {
  for (const std::uint64_t alignment : {1u, 64u, 4096u}) {
    const Opened opened(torch_members().torch_layout(alignment));
    for (const Member& member : opened.zip.members()) {
      CHECK(opened.zip.predicted_data_offset(member, alignment) == opened.zip.data_offset(member));
    }
  }
}

TEST_CASE("where the layout is not PyTorch's no data offset is predicted") {
  const Opened plain(two_members());
  CHECK(!plain.zip.predicted_data_offset(plain["m/version"], 64));
  const Opened torch(torch_members());
  CHECK(!torch.zip.predicted_data_offset(torch["m/data/1"], 256));
  CHECK(!torch.zip.predicted_data_offset(torch["m/data/1"], 0));
  CHECK(!torch.zip.predicted_data_offset(torch["m/data/1"], 0xFFFFFFFFFFFFFFFF));
}

TEST_CASE("members are found by their exact name or without regard to case") {
  const Opened opened(two_members());
  CHECK(opened.zip.find("m/version")->header_offset == 0x2e);
  CHECK(opened.zip.find("m/Version") == nullptr);
  CHECK(opened.zip.find_ignoring_case("M/VERSION") == opened.zip.find("m/version"));
  CHECK(opened.zip.find_ignoring_case("m/versio") == nullptr);
  CHECK(opened.zip.find("") == nullptr);
}

TEST_CASE("two members of one name are refused") {
  CHECK(error_of_opening(two_members().member("m/version", "4\n")) ==
        "malformed: m.pt: +0xef: two members are called 'm/version'");
}

TEST_CASE("two names that differ only in case are refused") {
  CHECK(error_of_opening(two_members().member("m/DATA.pkl", "evil")) ==
        "malformed: m.pt: +0xf2: two names are equal without case: 'm/data.pkl' and 'm/DATA.pkl'");
}

TEST_CASE("a local header with another name is refused") {
  CHECK(error_of_reading(two_members().local_name("m/versiom"), "m/version") ==
        "malformed: m.pt: +0x2e: two names: 'm/versiom' in the local header, 'm/version' in the "
        "central directory");
  CHECK(error_of_reading(zip().member("m/a", "data").local_name("m/abcd"), "m/a") ==
        "malformed: m.pt: +0x0: two names: 'm/abcd' in the local header, 'm/a' in the central "
        "directory");
  CHECK(error_of_reading(two_members().local(local_header::kNameSize, 8), "m/version") ==
        "malformed: m.pt: +0x2e: two names: 'm/versio' in the local header, 'm/version' in the "
        "central directory");
  CHECK(error_of_reading(two_members().local(local_header::kNameSize, 0xFFFF), "m/version") ==
        "malformed: m.pt: +0x2e: the local header of 'm/version' has a name of 65535 bytes");
}

TEST_CASE("a member without a local header is refused") {
  CHECK(error_of_reading(two_members().local(kSignatureField, 0), "m/version") ==
        "malformed: m.pt: +0x2e: 0x00000000 where the local header of 'm/version' should begin");
}

TEST_CASE("a local header that contradicts the central one is refused") {
  const auto error = [](auto field, std::uint16_t value) {
    return error_of_reading(two_members().local(field, value), "m/version");
  };
  CHECK(error(local_header::kMethod, 8) ==
        "malformed: m.pt: +0x2e: two values for the method of 'm/version': 0x8 in the local "
        "header, 0x0 in the central directory");
  CHECK(error(local_header::kFlags, 8) ==
        "malformed: m.pt: +0x2e: two values for the flags of 'm/version': 0x8 in the local header, "
        "0x0 in the central directory");
  CHECK(error(local_header::kUncompressedSize, 1) ==
        "malformed: m.pt: +0x2e: two values for the size of 'm/version': 0x1 in the local header, "
        "0x2 in the central directory");
  CHECK(error(local_header::kCompressedSize, 0) ==
        "malformed: m.pt: +0x2e: two values for the compressed size of 'm/version': 0x0 in the "
        "local header, 0x2 in the central directory");
  CHECK(error(local_header::kCrc, 7) ==
        "malformed: m.pt: +0x2e: two values for the CRC of 'm/version': 0x7 in the local header, "
        "0x55679ed1 in the central directory");
}

TEST_CASE("with a data descriptor local values are zero or right") {
  const auto error = [](auto field, std::uint16_t value) {
    return error_of_reading(torch_members().local(field, value), "m/version");
  };
  CHECK(error(local_header::kUncompressedSize, 2) == "no error");
  CHECK(error(local_header::kUncompressedSize, 3) ==
        "malformed: m.pt: +0x134: two values for the size of 'm/version': 0x3 in the local header, "
        "0x2 in the central directory");
}

TEST_CASE("local sizes in a zip64 field are read") {
  const std::string sizes = little_endian(2, 8) + little_endian(2, 8);
  const ZipAssembler made = two_members()
                                .local(local_header::kUncompressedSize, kMarker32)
                                .local(local_header::kCompressedSize, kMarker32);
  CHECK(
      Opened(ZipAssembler(made).local_extra(extra_field(extra::kZip64, sizes))).read("m/version") ==
      "3\n");
  CHECK(error_of_reading(made, "m/version") ==
        "malformed: m.pt: +0x2e: two values for the compressed size of 'm/version': 0xffffffff in "
        "the local header, 0x2 in the central directory");
  CHECK(error_of_reading(
            ZipAssembler(made).local_extra(extra_field(extra::kZip64, sizes.substr(0, 8))),
            "m/version") ==
        "malformed: m.pt: +0x55: extra field 0x0001 (zip64) is 8 bytes, too short for what the "
        "header leaves to it");
}

TEST_CASE("a local zip64 field with the header offset in it is no obstacle") {
  const std::string field = extra_field(extra::kZip64, little_endian(0x2e, 8));
  CHECK(Opened(two_members().local_extra(field)).read("m/version") == "3\n");
}

TEST_CASE("a wrong CRC is an error when the member is read") {
  CHECK(error_of_reading(two_members().crc(0x12345678), "m/version") ==
        "malformed: m.pt: m/version: the CRC is 0x55679ed1, 0x12345678 recorded");
  CHECK(error_of_reading(two_members().crc(0x12345678), "m/data.pkl") == "no error");
}

TEST_CASE("a CRC of 0 is one that was not stored") {
  const Opened opened(zip().torch_layout().member("m/data.pkl", "pickle").crc(0));
  CHECK(opened.read("m/data.pkl") == "pickle");
  CHECK(!opened.zip.has_checksums());
  CHECK(Opened(two_members()).zip.has_checksums());
}

TEST_CASE("encrypted and patched members are refused when they are read") {
  const auto error = [](std::uint16_t flags) {
    return error_of_reading(two_members().flags(flags), "m/version");
  };
  CHECK(error(flag::kEncrypted) == "unsupported: m.pt: +0x2e: 'm/version' is encrypted");
  CHECK(error(flag::kPatched) ==
        "unsupported: m.pt: +0x2e: 'm/version' is compressed patched data");
  CHECK(error(flag::kStrongEncryption) ==
        "unsupported: m.pt: +0x2e: 'm/version' is strongly encrypted");
  CHECK(error(flag::kMasked) ==
        "unsupported: m.pt: +0x2e: 'm/version' has its local header masked");
}

TEST_CASE("a method other than stored and deflate is refused when the member is read") {
  CHECK(
      error_of_reading(two_members().method(12), "m/version") ==
      "unsupported: m.pt: m/version: compressed by bzip2 (method 12); only stored (0) and deflate "
      "(8) can be read");
  CHECK(error_of_reading(two_members().method(99), "m/version") ==
        "unsupported: m.pt: m/version: compressed by AES encryption (method 99); only stored (0) "
        "and deflate (8) can be read");
  CHECK(
      error_of_reading(two_members().method(77), "m/version") ==
      "unsupported: m.pt: m/version: compressed by an unknown method (method 77); only stored (0) "
      "and deflate (8) can be read");
}

TEST_CASE("broken deflate data are refused") {
  CHECK(error_of_reading(zip().raw("m/a", "\xff\xff\xff\xff", 10, 0), "m/a") ==
        "malformed: m.pt: m/a: the deflated data are broken");
  CHECK(error_of_reading(zip().raw("m/a", "", 0, 0), "m/a") ==
        "malformed: m.pt: m/a: the deflated data are broken");
}

TEST_CASE("data that inflate to more or less than declared are refused") {
  const std::string five("\x01\x05\x00\xfa\xffhello", 10);  // one stored block
  CHECK(Opened(zip().raw("m/a", five, 5, 0)).read("m/a") == "hello");
  CHECK(error_of_reading(zip().raw("m/a", five, 4, 0), "m/a") ==
        "malformed: m.pt: m/a: inflates to more than the declared 4 bytes");
  CHECK(error_of_reading(zip().raw("m/a", five, 6, 0), "m/a") ==
        "malformed: m.pt: m/a: inflates to 5 bytes, 6 declared");
  CHECK(error_of_reading(zip().raw("m/a", five + "xyz", 5, 0), "m/a") ==
        "malformed: m.pt: m/a: 3 bytes after the end of the deflated data");
}

TEST_CASE("a size that deflate cannot reach is refused before it is allocated") {
  const Opened opened(zip().raw("m/a", std::string(1000, '\0'), 0xFFFFFFF0, 0));
  CHECK(error_of([&] { opened.zip.read(opened["m/a"], ~std::uint64_t{0}); }) ==
        "malformed: m.pt: m/a: 1000 deflated bytes cannot inflate to 4294967280");
}

TEST_CASE("a member larger than the limit is refused before it is read") {
  const Opened opened(zip().deflated("m/a", std::string(1000, 'x')));
  CHECK(error_of([&] { opened.zip.read(opened["m/a"], 999); }) ==
        "limit: m.pt: m/a: 1000 bytes inflated, 999 are allowed");
  CHECK(opened.zip.read(opened["m/a"], 1000).bytes.size() == 1000);
  // Empty stored blocks: a deflate stream of any length that inflates to nothing.
  const std::string empty_block("\0\0\0\xff\xff", 5);
  const Opened padded(zip().raw("m/a", empty_block + empty_block + empty_block, 1, 0));
  CHECK(error_of([&] { padded.zip.read(padded["m/a"], 14); }) ==
        "limit: m.pt: m/a: 15 bytes deflated, 14 are allowed");
}

TEST_CASE("the beginning of a deflated member is seen without the rest") {
  std::string data;
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    data += static_cast<char>('a' + i * i % 23);
  }
  const Opened opened(zip().deflated("m/a", data).member("m/b", "stored"));
  const auto whole = opened.zip.peek(opened["m/a"]);
  CHECK(whole->size() == data.size());
  for (const std::size_t offset : {std::size_t{0}, std::size_t{150'000}, std::size_t{7}}) {
    const auto part = whole->read(offset, 50'000);
    CHECK(as_text(part) == data.substr(offset, 50'000));
  }
  CHECK(as_text(opened.zip.peek(opened["m/b"])->read(2, 4)) == "ored");
  const std::string five("\x01\x05\x00\xfa\xffhello", 10);  // one stored block
  const Opened five_of_nine(zip().raw("m/a", five, 9, 0));
  const auto peek = [](const Opened& from, std::uint64_t size) {
    return error_of([&] { from.zip.peek(from["m/a"])->read(0, size); });
  };
  CHECK(peek(five_of_nine, 5) == "no error");
  CHECK(peek(five_of_nine, 6) == "malformed: m.pt: m/a: inflates to 5 bytes, 9 declared");
  CHECK(peek(five_of_nine, 10) == "io: m.pt: m/a: read of 10 bytes at 0 of 9");
  const Opened cut(zip().raw("m/a", five.substr(0, 8), 5, 0));
  CHECK(peek(cut, 3) == "no error");
  CHECK(peek(cut, 4) == "malformed: m.pt: m/a: the deflated data are broken");
  CHECK(peek(Opened(zip().raw("m/a", "\xff", 5, 0)), 1) ==
        "malformed: m.pt: m/a: the deflated data are broken");
}

TEST_CASE("a data descriptor may have any of its four forms") {
  const std::uint32_t crc = crc32(as_bytes("data"));
  const std::string narrow = little_endian(crc, 4) + little_endian(4, 4) + little_endian(4, 4);
  const std::string wide = little_endian(crc, 4) + little_endian(4, 8) + little_endian(4, 8);
  for (const std::string& form : {"PK\7\10" + narrow, "PK\7\10" + wide, narrow, wide}) {
    CHECK(warning_of_reading(
              zip().torch_layout().member("m/a", "data").descriptor(form).member("m/b", ""),
              "m/a") == "");
  }
}

TEST_CASE("a data descriptor that is missing or contradicts is reported") {
  CHECK(warning_of_reading(zip().torch_layout().member("m/a", "data").descriptor(""), "m/a") ==
        "+0x44: the data descriptor of 'm/a' is missing\n");
  CHECK(
      warning_of_reading(
          zip().torch_layout().member("m/a", "data").descriptor("PK\7\10" + std::string(12, '\1')),
          "m/a") == "+0x44: the data descriptor of 'm/a' contradicts the central directory\n");
}

TEST_CASE("bytes before the first member that look like one are reported") {
  const Opened opened(zip().member("m/ghost", "boo").without_central_entry().member("m/a", ""));
  CHECK(text_of(opened.zip.warnings()) ==
        "+0x0: 40 bytes before the first member belong to none\n");
}

}  // namespace
}  // namespace ptsd::container
