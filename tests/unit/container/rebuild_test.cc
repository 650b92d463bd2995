// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/byte_sink.h"
#include "container/record_reader.h"
#include "container/serialization_id.h"
#include "container/zip_writer.h"
#include "opened.h"

// What PyTorch wrote, written again from its members.

namespace ptsd::container {
namespace {

using test::Opened;

std::vector<std::byte> bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const Bytes bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

bool is_zip(const std::vector<std::byte>& bytes) {
  return as_text(bytes).starts_with("PK\3\4");
}

// The archives among testdata/*.pt: all of them in PyTorch's layout.
std::vector<std::filesystem::path> archives() {
  const char* const folder = std::getenv("PTSD_TESTDATA");
  REQUIRE_MESSAGE(folder != nullptr, "PTSD_TESTDATA names no folder");
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".pt" || !is_zip(bytes_of(entry.path()))) continue;
    paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

NewMember described(const Member& member) {
  return {.name = std::string(member.name),
          .size = member.size,
          .compressed_size = member.compressed_size,
          .method = member.method};
}

std::vector<std::byte> rebuilt(const ZipReader& zip) {
  MemorySink sink;
  ZipWriter writer(sink, kDefaultAlignment);
  for (const Member& member : zip.members()) {
    writer.begin(described(member))
        .copy(zip.source(), zip.data_offset(member), member.compressed_size);
    writer.end(member.crc);
  }
  writer.finish();
  return sink.take();
}

ArchivePlan planned(const ZipReader& zip) {
  std::vector<NewMember> members;
  std::ranges::transform(zip.members(), std::back_inserter(members), described);
  return plan(members, kDefaultAlignment);
}

TEST_CASE("what PyTorch wrote is written again to the byte") {
  const auto paths = archives();
  CHECK(paths.size() >= 30);
  for (const auto& path : paths) {
    CAPTURE(path.filename());
    const std::vector<std::byte> bytes = bytes_of(path);
    const Opened opened(MemorySource("m.pt", bytes));
    CHECK(rebuilt(opened.zip) == bytes);
  }
}

TEST_CASE("the plan knows where everything lies in what PyTorch wrote") {
  for (const auto& path : archives()) {
    CAPTURE(path.filename());
    const Opened opened(MemorySource("m.pt", bytes_of(path)));
    const ArchivePlan made = planned(opened.zip);
    CHECK(made.size == opened.source.size());
    CHECK(made.directory_offset == opened.zip.directory_offset());
    REQUIRE(made.data_offsets.size() == opened.zip.members().size());
    for (std::size_t i = 0; i < made.data_offsets.size(); ++i) {
      CHECK(made.data_offsets[i] == opened.zip.data_offset(opened.zip.members()[i]));
    }
  }
}

TEST_CASE("the second half of a serialization id is folded from the checksums") {
  std::size_t found = 0;
  for (const auto& path : archives()) {
    CAPTURE(path.filename());
    const Opened opened(MemorySource("m.pt", bytes_of(path)));
    const Member* const record = RecordReader(opened.zip).record(".data/serialization_id");
    if (record == nullptr) continue;
    ++found;
    REQUIRE(record == &opened.zip.members().back());
    std::uint64_t contents = 0;
    for (const Member& member : opened.zip.members()) {
      if (&member != record && member.size != 0) contents = fold_crc(contents, member.crc);
    }
    const auto id = parse_serialization_id(opened.read(record->name));
    REQUIRE(id);
    CHECK(id->contents == contents);
  }
  CHECK(found >= 25);
}

}  // namespace
}  // namespace ptsd::container
