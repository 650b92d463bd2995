// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/limits.h"
#include "checkpoint/listing.h"
#include "container/tar_reader.h"
#include "format/torch_tar.h"
#include "fuzz.h"
#include "support/tar_assembler.h"

// Reads tar archives, and opens them as torch.save wrote them before 0.1.10. An input is members,
// each the number of its name, its type, the size of its data (2 bytes, little-endian) and these:
// the headers and their checksums are made here. Name 255 says that the data are the archive from
// here on, as it is.

namespace ptsd::fuzz {
namespace {

constexpr Limits kLimits = {.pickle_bytes = 1 << 20, .depth = 200, .entries = 100'000};
constexpr std::uint64_t kMostRead = 1 << 16;  // bytes of one storage
constexpr auto kNames = std::to_array<std::string_view>(
    {"sys_info", "pickle", "tensors", "storages", "other", "pickle/"});

unsigned byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

std::string archive_of(std::string_view input) {
  std::string archive;
  while (input.size() >= 4) {
    const unsigned name = byte_at(input, 0);
    const char type = input[1];
    const std::size_t size = byte_at(input, 2) | byte_at(input, 3) << 8;
    input.remove_prefix(4);
    if (name == 255) return archive.append(input);
    const std::string_view data = input.substr(0, size);
    input.remove_prefix(data.size());
    archive += test::tar_member(kNames[name % kNames.size()], data, type);
  }
  return archive + test::tar_end();
}

void check_members(const ByteSource& source) {
  std::uint64_t last = 0;
  for (const container::TarMember& member : container::read_tar(source)) {
    require(member.offset >= last && member.offset <= source.size());
    require(member.size <= source.size() - member.offset);
    last = member.offset + member.size;
  }
}

void load_and_read(const ByteSource& source) {
  const std::unique_ptr<format::Loaded> loaded =
      format::load_torch_tar({.source = source}, kLimits);
  const checkpoint::Checkpoint& checkpoint = loaded->checkpoint();
  unless_refused([&] { list(checkpoint, checkpoint.root(), checkpoint::Want::Everything); });
  for (std::size_t i = 0; i < checkpoint.tensors().storage_count(); ++i) {
    unless_refused([&] {
      const auto storage =
          loaded->open_storage(checkpoint::StorageId{static_cast<std::uint32_t>(i)});
      storage->read(0, std::min(storage->size(), kMostRead));
    });
  }
}

}  // namespace
}  // namespace ptsd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ptsd::fuzz;
  const std::string bytes = archive_of(ptsd::as_text(input_bytes(data, size)));
  const ptsd::Bytes all = ptsd::as_bytes(bytes);
  const ptsd::MemorySource source("input", {all.begin(), all.end()});
  unless_refused([&] { check_members(source); });
  unless_refused([&] { load_and_read(source); });
  return 0;
}
