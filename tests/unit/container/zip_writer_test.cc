// SPDX-License-Identifier: Apache-2.0
#include "container/zip_writer.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/crc32.h"
#include "opened.h"
#include "sparse_archive.h"

namespace ptsd::container {
namespace {

using test::error_of;
using test::HoleSource;
using test::Opened;
using test::SparseArchive;
using test::zip;
using test::ZipAssembler;

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

NewMember stored(std::string name, std::uint64_t size) {
  return {.name = std::move(name), .size = size, .compressed_size = size};
}

void write(ZipWriter& writer, const std::string& name, std::string_view data) {
  writer.begin(stored(name, data.size())).write(as_bytes(data));
  writer.end(crc32(as_bytes(data)));
}

// A member of zeros that are never there.
void write_hole(ZipWriter& writer, const std::string& name, std::uint64_t size) {
  writer.begin(stored(name, size)).copy(HoleSource(), 0, size);
  writer.end(size == 0 ? 0 : 7);
}

template <class Work>
std::string written(Work work, std::uint64_t alignment = kDefaultAlignment) {
  MemorySink sink;
  ZipWriter writer(sink, alignment);
  work(writer);
  writer.finish();
  return std::string(as_text(sink.bytes()));
}

template <class Work>
std::string error_of_writing(Work work) {
  return error_of([&work] { written(work); });
}

TEST_CASE("every alignment gives the layout that the assembler makes") {
  const std::string large(70'000, 'x');
  for (const std::uint64_t alignment : {1u, 2u, 63u, 64u, 4096u, 32768u, 65504u}) {
    CAPTURE(alignment);
    const std::string made = written(
        [&large](ZipWriter& writer) {
          write(writer, "m/data.pkl", "pickle");
          write(writer, "m/data/0", "");
          write(writer, "m/data/1", large);
          write(writer, "m/version", "3\n");
        },
        alignment);
    CHECK(made == zip()
                      .torch_layout(alignment)
                      .member("m/data.pkl", "pickle")
                      .member("m/data/0", "")
                      .member("m/data/1", large)
                      .member("m/version", "3\n")
                      .text());
    const std::uint64_t first = local_header::kSize + 10 + extra::kHeaderSize;
    CHECK(made.find("pickle") == (first + alignment - 1) / alignment * alignment);
  }
}

TEST_CASE("a deflated member is written as it came") {
  const std::string inflated(100'000, 'a');
  const ZipAssembler assembler = zip().torch_layout().deflated("m/code.py", inflated);
  const Opened opened(assembler);
  const Member& member = opened["m/code.py"];
  const std::string made = written([&opened, &member](ZipWriter& writer) {
    writer
        .begin({.name = "m/code.py",
                .size = member.size,
                .compressed_size = member.compressed_size,
                .method = method::kDeflate})
        .copy(opened.source, opened.zip.data_offset(member), member.compressed_size);
    writer.end(member.crc);
  });
  CHECK(made == assembler.text());
}

TEST_CASE("a member may be written in pieces") {
  const std::string made = written([](ZipWriter& writer) {
    ByteSink& data = writer.begin(stored("m/a", 6));
    data.write(as_bytes("ab"));
    data.write({});
    data.copy(MemorySource("s", {std::byte{'x'}, std::byte{'c'}, std::byte{'d'}}), 1, 2);
    data.write(as_bytes("ef"));
    writer.end(crc32(as_bytes("abcdef")));
  });
  CHECK(made == zip().torch_layout().member("m/a", "abcdef").text());
}

TEST_CASE("a folder is marked as one") {
  const std::string made = written([](ZipWriter& writer) { write(writer, "m/", ""); });
  CHECK(made == zip()
                    .torch_layout()
                    .member("m/", "")
                    .central(central_header::kExternalAttributes, 16)
                    .text());
  CHECK(error_of_writing([](ZipWriter& writer) { write(writer, "m/", "x"); }) ==
        "conflict: m/: a folder of 1 bytes, expected none");
}

TEST_CASE("without checksums the fields are 0") {
  const std::string made = written([](ZipWriter& writer) {
    writer.begin(stored("m/a", 1)).write(as_bytes("x"));
    writer.end(0);
  });
  CHECK(made == zip().torch_layout().member("m/a", "x").crc(0).text());
}

// As PyTorch wrote it (root "big"): a storage of 0x1'0000'0010 bytes, then small ones.
struct Beyond4GiB {
  Beyond4GiB() {
    ZipWriter writer(archive, kDefaultAlignment);
    for (const NewMember& member : members) {
      write_hole(writer, member.name, member.size);
    }
    writer.finish();
  }

  std::string text(std::uint64_t offset, std::uint64_t size) const {
    return std::string(as_text(archive.read(offset, size)));
  }

  std::vector<NewMember> members = {
      stored("big/data.pkl", 350), stored("big/data/0", 0x1'0000'0010),
      stored("big/data/1", 12),    stored("big/data/2", 0),
      stored("big/version", 2),
  };
  SparseArchive archive;
};

std::string u16(std::uint64_t value) {
  return test::little_endian(value, 2);
}
std::string u32(std::uint64_t value) {
  return test::little_endian(value, 4);
}
std::string u64(std::uint64_t value) {
  return test::little_endian(value, 8);
}

// From the signature to the first 'Z' of the padding; crc and sizes are 0.
std::string local(std::uint16_t flags, std::string_view name, const std::string& zip64,
                  std::size_t padding) {
  return "PK\3\4" + u16(0) + u16(flags) + std::string(18, '\0') + u16(name.size()) +
         u16(zip64.size() + 4 + padding) + std::string(name) + zip64 + "FB" + u16(padding) +
         std::string(padding, 'Z');
}

// The CRC is 7, but for an empty member.
std::string central(std::uint16_t flags, std::uint32_t size, std::uint32_t header_offset,
                    std::string_view name, const std::string& zip64) {
  return "PK\1\2" + u32(0) + u16(flags) + u16(0) + u32(0) + u32(size == 0 ? 0 : 7) + u32(size) +
         u32(size) + u16(name.size()) + u16(zip64.size()) + std::string(10, '\0') +
         u32(header_offset) + std::string(name) + zip64;
}

std::string zip64_field(const std::string& values) {
  return test::extra_field(extra::kZip64, values);
}

TEST_CASE("local headers and descriptors beyond 4 GiB are as PyTorch writes them") {
  const Beyond4GiB made;
  const std::string first =
      local(0x0808, "big/data/0", zip64_field(u64(0x1'0000'0010) + u64(0)), 18);
  CHECK(made.text(0x1AE, 0x200 - 0x1AE) == first);
  CHECK(made.text(0x1'0000'0210, 24) ==
        "PK\7\10" + u32(7) + u64(0x1'0000'0010) + u64(0x1'0000'0010));

  const std::string second =
      local(0x0808, "big/data/1", zip64_field(u64(0x1'0000'0228)), 0x280 - 0x260);
  CHECK(made.text(0x1'0000'0228, 0x280 - 0x228) == second);
  CHECK(made.text(0x1'0000'028C, 24) == "PK\7\10" + u32(7) + u64(12) + u64(12));

  const std::string third =
      local(0x0800, "big/data/2", zip64_field(u64(0x1'0000'02A4)), 0x300 - 0x2DC);
  CHECK(made.text(0x1'0000'02A4, 0x300 - 0x2A4) == third);
  // No descriptor: the next header follows at once.
  CHECK(made.text(0x1'0000'0300, 4) == "PK\3\4");
}

TEST_CASE("the directory and the ends beyond 4 GiB are as PyTorch writes them") {
  const Beyond4GiB made;
  constexpr std::uint32_t kMarker = 0xFFFFFFFF;
  const std::uint64_t directory = 0x1'0000'0340 + 2 + 24;
  const std::string entries =
      central(0x0808, 350, 0, "big/data.pkl", "") +
      central(0x0808, kMarker, 0x1AE, "big/data/0",
              zip64_field(u64(0x1'0000'0010) + u64(0x1'0000'0010))) +
      central(0x0808, 12, kMarker, "big/data/1", zip64_field(u64(0x1'0000'0228))) +
      central(0x0800, 0, kMarker, "big/data/2", zip64_field(u64(0x1'0000'02A4))) +
      central(0x0808, 2, kMarker, "big/version", zip64_field(u64(0x1'0000'0300)));
  const std::string end = "PK\6\6" + u64(44) + u16(0x031E) + u16(45) + u64(0) + u64(5) + u64(5) +
                          u64(entries.size()) + u64(directory) + "PK\6\7" + u32(0) +
                          u64(directory + entries.size()) + u32(1) + "PK\5\6" + u32(0) + u16(5) +
                          u16(5) + u32(entries.size()) + u32(kMarker) + u16(0);
  CHECK(made.text(directory, made.archive.size() - directory) == entries + end);
}

TEST_CASE("the plan of an archive beyond 4 GiB is where its reader finds everything") {
  const Beyond4GiB made;
  const ArchivePlan planned = plan(made.members, kDefaultAlignment);
  CHECK(planned.data_offsets ==
        std::vector<std::uint64_t>{0x40, 0x200, 0x1'0000'0280, 0x1'0000'0300, 0x1'0000'0340});
  CHECK(planned.size == made.archive.size());
  const ZipReader zip(made.archive, Limits{});
  for (std::size_t i = 0; i < made.members.size(); ++i) {
    CHECK(zip.members()[i].size == made.members[i].size);
    CHECK(zip.data_offset(zip.members()[i]) == planned.data_offsets[i]);
  }
  const Account account = zip.account();
  CHECK(account.slack.empty());
  CHECK(account.warnings.empty());
}

TEST_CASE("the markers begin at 2^32 - 1, for sizes and for offsets") {
  const auto sizes = [](std::uint64_t size) {
    const std::array members = {stored("m/a", size), stored("m/b", 0)};
    const ArchivePlan planned = plan(members, 1);
    return std::array{planned.data_offsets[0], planned.data_offsets[1] - planned.data_offsets[0]};
  };
  constexpr std::uint64_t kHeader = local_header::kSize + 3 + extra::kHeaderSize;
  constexpr std::uint64_t kMarker = kMarker32;
  CHECK(sizes(kMarker - 1) == std::array{kHeader, kMarker - 1 + 16 + kHeader + 12});
  CHECK(sizes(kMarker) == std::array{kHeader + 20, kMarker + 24 + kHeader + 12});
  const std::uint64_t before = kMarker - kHeader - 16;  // the second header lies on the marker
  CHECK(sizes(before - 1) == std::array{kHeader, before - 1 + 16 + kHeader});
  CHECK(sizes(before) == std::array{kHeader, before + 16 + kHeader + 12});
}

TEST_CASE("a large member that lies beyond 4 GiB has all three numbers in its zip64 field") {
  SparseArchive archive;
  ZipWriter writer(archive, kDefaultAlignment);
  write_hole(writer, "m/a", 5 * kGiB);
  write_hole(writer, "m/b", 6 * kGiB);
  writer.finish();
  const std::uint64_t header = 5 * kGiB + 64 + 24;
  const std::string expected =
      local(0x0808, "m/b", zip64_field(u64(6 * kGiB) + u64(0) + u64(header)), 39);
  CHECK(as_text(archive.read(header, expected.size())) == expected);
  const ZipReader zip(archive, Limits{});
  CHECK(zip.members()[1].size == 6 * kGiB);
  CHECK(zip.account().slack.empty());
}

TEST_CASE("more than 65535 members leave the count to the zip64 end record") {
  for (const std::uint32_t count : {65'534u, 65'535u, 65'536u}) {
    CAPTURE(count);
    MemorySink sink;
    ZipWriter writer(sink, 1);
    for (std::uint32_t i = 0; i < count; ++i) {
      write(writer, "m/" + std::to_string(i), "");
    }
    writer.finish();
    const Bytes end = Bytes(sink.bytes()).last(end_record::kSize);
    CHECK(get(end, end_record::kCount) == std::min(count, 65'535u));
    CHECK(get(end, end_record::kCountOnDisk) == std::min(count, 65'535u));
    const Opened opened(MemorySource("m.pt", sink.take()));
    CHECK(opened.zip.members().size() == count);
  }
}

TEST_CASE("an archive without a member is refused") {
  CHECK(error_of_writing([](ZipWriter&) {}) == "conflict: an archive without a member");
  CHECK(error_of([] { plan({}, 64); }) == "conflict: an archive without a member");
}

TEST_CASE("an alignment whose padding no extra field can hold is refused") {
  const auto error = [](std::uint64_t alignment) {
    return error_of([alignment] { plan(std::array{stored("m/a", 1)}, alignment); });
  };
  CHECK(error(65504) == "no error");
  CHECK(error(65505) == "limit: an alignment of 65505 bytes, expected 1 to 65504");
  CHECK(error(0) == "limit: an alignment of 0 bytes, expected 1 to 65504");
}

TEST_CASE("names that PyTorch would confuse, and names that do not fit, are refused") {
  const auto error = [](const std::string& first, const std::string& second) {
    return error_of([&] { plan(std::array{stored(first, 1), stored(second, 1)}, 64); });
  };
  CHECK(error("m/a", "m/b") == "no error");
  CHECK(error("m/a", "m/a") ==
        "conflict: m/a: 'm/a' is in the archive already, and PyTorch ignores case");
  CHECK(error("m/aB", "m/Ab") ==
        "conflict: m/Ab: 'm/aB' is in the archive already, and PyTorch ignores case");
  // Letters beyond ASCII keep their case.
  CHECK(error("m/\xC3\xA4", "m/\xC3\x84") == "no error");
  CHECK(error("m/a", "") == "conflict: a member without a name");
  CHECK(error("m/a", std::string(65535, 'x')) == "no error");
  CHECK(error("m/a", std::string(65536, 'x'))
            .ends_with("a name of 65536 bytes, a zip archive holds 65535 at most"));
}

TEST_CASE("sizes that contradict the method are refused") {
  const auto error = [](std::uint64_t size, std::uint64_t compressed_size, std::uint16_t method) {
    const NewMember member = {
        .name = "m/a", .size = size, .compressed_size = compressed_size, .method = method};
    return error_of([&member] { plan(std::array{member}, 64); });
  };
  CHECK(error(3, 4, method::kStored) ==
        "conflict: m/a: a stored member of 3 bytes is said to take 4");
  CHECK(error(0, 2, method::kDeflate) ==
        "conflict: m/a: a deflated member that is empty, expected stored");
  CHECK(error(3, 0, method::kDeflate) ==
        "conflict: m/a: a deflated member that is empty, expected stored");
  CHECK(error(0xFFFFFFFE, 0xFFFFFFFF, method::kDeflate) ==
        "limit: m/a: 4294967294 bytes deflated to 4294967295, which PyTorch's layout cannot say");
  CHECK(error(3, 3, 12) ==
        "unsupported: m/a: method 12, only stored (0) and deflate (8) are written");
}

TEST_CASE("more than a file can hold is refused") {
  constexpr std::uint64_t kMost = 0x7FFF'FFFF'FFFF'FFFF;
  const auto error = [](std::uint64_t size) {
    return error_of([size] { plan(std::array{stored("m/a", size)}, 1); });
  };
  CHECK(error(~std::uint64_t{0}) ==
        "limit: m/a: 18446744073709551615 bytes at 0x39 are more than a file can hold");
  CHECK(error(kMost - 0x39 - 23) ==
        "limit: m/a: 9223372036854775727 bytes at 0x39 are more than a file can hold");
  CHECK(error(kMost - 0x39 - 24) == "limit: the archive is longer than a file can be");
  const std::uint64_t end = 46 + 3 + 20 + 56 + 20 + 22;
  CHECK(error(kMost - 0x39 - 24 - end) == "no error");
}

TEST_CASE("a member that gets other bytes than were announced is refused") {
  CHECK(error_of_writing([](ZipWriter& writer) {
          writer.begin(stored("m/a", 3)).write(as_bytes("abcd"));
        }) == "conflict: m/a: 1 bytes more than the 3 that were announced");
  CHECK(error_of_writing([](ZipWriter& writer) {
          writer.begin(stored("m/a", 3)).copy(HoleSource(), 0, 5);
        }) == "conflict: m/a: 2 bytes more than the 3 that were announced");
  CHECK(error_of_writing([](ZipWriter& writer) {
          writer.begin(stored("m/a", 3)).write(as_bytes("ab"));
          writer.end(0);
        }) == "conflict: m/a: 1 bytes fewer than the 3 that were announced");
}

TEST_CASE("a checksum of no bytes is refused") {
  CHECK(error_of_writing([](ZipWriter& writer) {
          writer.begin(stored("m/a", 0));
          writer.end(7);
        }) == "conflict: m/a: an empty member with the CRC 0x00000007, expected 0");
}

TEST_CASE("members are written one after the other, and then the end") {
  CHECK(error_of_writing([](ZipWriter& writer) {
          writer.begin(stored("m/a", 3));
          writer.begin(stored("m/b", 3));
        }) == "conflict: m/b: begun before 'm/a' has ended");
  CHECK(error_of_writing([](ZipWriter& writer) { writer.begin(stored("m/a", 3)); }) ==
        "conflict: m/a: the archive is finished before this member has ended");
  CHECK(error_of_writing([](ZipWriter& writer) { writer.end(0); }) ==
        "conflict: the end of a member that was not begun");
  const auto finished = [](ZipWriter& writer) {
    write(writer, "m/a", "x");
    writer.finish();
  };
  CHECK(error_of_writing(finished) == "conflict: the archive is finished already");
  CHECK(error_of_writing([&finished](ZipWriter& writer) {
          finished(writer);
          write(writer, "m/b", "x");
        }) == "conflict: m/b: a member behind the end of the archive");
}

}  // namespace
}  // namespace ptsd::container
