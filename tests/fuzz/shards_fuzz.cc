// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "checkpoint/listing.h"
#include "file/folder.h"
#include "format/probe.h"
#include "format/shard_plan.h"
#include "fuzz.h"

// Takes the input for the index of two parts, "1" with a and c, "2" with b and c. What loads says
// of every entry where it is from, and its index, written again, loads as well.

namespace ptsd::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr Limits kLimits = {
    .pickle_bytes = 1 << 20, .directory_bytes = 1 << 20, .depth = 200, .entries = 100'000};

// A folder with the parts, for as long as the program runs.
class Parts {
 public:
  Parts() : path_(fs::temp_directory_path() / ("ptsd-fuzz-shards-" + std::to_string(::getpid()))) {
    fs::create_directory(path_);
    write("1",
          R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
          R"("c":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
          "123");
    write("2",
          R"({"__metadata__":{"format":"pt"},)"
          R"("b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
          R"("c":{"dtype":"U8","shape":[1],"data_offsets":[4,5]}})",
          "12345");
  }
  ~Parts() { fs::remove_all(path_); }
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  std::string path() const { return path_.string(); }

 private:
  void write(const std::string& name, const std::string& header, const std::string& data) {
    std::string size(8, '\0');
    size[0] = static_cast<char>(header.size());
    std::ofstream(path_ / name, std::ios::binary) << size + header + data;
  }

  fs::path path_;
};

std::unique_ptr<format::Loaded> load_index(file::Folder& folder, const ByteSource& index) {
  return format::load({.source = index, .folder = &folder}, kLimits);
}

// The index that would be written of what was loaded.
std::string index_of(const format::Sharding& sharding) {
  std::vector<format::ShardItem> items;
  for (const auto& [name, part] : sharding.part_of) {
    require(part < sharding.parts.size());
    items.push_back({.name = name, .size = 1});
  }
  return format::shard_index_text(format::split_as_before(items, sharding), items,
                                  sharding.metadata, sharding.style);
}

void load_and_check(const std::string& path, const ByteSource& source) {
  file::Folder folder(path);
  const auto loaded = load_index(folder, source);
  const format::FileFacts& facts = loaded->facts();
  if (!facts.sharding || facts.sharding->part_of.empty()) return;
  const std::string text = index_of(*facts.sharding);
  const MemorySource again("again", {as_bytes(text).begin(), as_bytes(text).end()});
  std::unique_ptr<format::Loaded> reloaded;
  unless_refused([&] { reloaded = load_index(folder, again); });
  require(reloaded != nullptr && reloaded->facts().sharding->part_of == facts.sharding->part_of);
  const checkpoint::Checkpoint& checkpoint = reloaded->checkpoint();
  unless_refused([&] { list(checkpoint, checkpoint.root(), checkpoint::Want::Everything); });
}

}  // namespace
}  // namespace ptsd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ptsd::fuzz;
  static const Parts parts;
  const ptsd::MemorySource source = input_source(data, size);
  unless_refused([&] { load_and_check(parts.path(), source); });
  return 0;
}
