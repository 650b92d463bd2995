// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <unistd.h>

#include "base/limits.h"
#include "checkpoint/listing.h"
#include "file/folder.h"
#include "format/dcp.h"
#include "fuzz.h"

// Opens a directory of torch.distributed.checkpoint, lists it, and reads its tensors. An input is
// the size of .metadata (4 bytes, little-endian), that file, and __0_0.distcp; where the size does
// not fit, all of it is .metadata.

namespace ptsd::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr Limits kLimits = {.pickle_bytes = 1 << 20,
                            .inflated_bytes = 1 << 20,
                            .directory_bytes = 1 << 20,
                            .depth = 200,
                            .entries = 100'000};
constexpr std::uint64_t kMostRead = 1 << 16;  // bytes of one storage

// One directory for the process, written anew for every input.
class Directory {
 public:
  Directory() : path_(fs::temp_directory_path() / ("ptsd-fuzz-" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  ~Directory() { fs::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  std::string path() const { return path_.string(); }
  void write(const char* name, std::string_view bytes) const {
    std::ofstream(path_ / name, std::ios::binary) << bytes;
  }

 private:
  fs::path path_;
};

std::size_t metadata_size(std::string_view input) {
  if (input.size() < 4) return input.size();
  std::size_t size = 0;
  for (std::size_t i = 4; i-- > 0;) {
    size = size << 8 | static_cast<unsigned char>(input[i]);
  }
  return size > input.size() - 4 ? input.size() : size;
}

void read_storages(const format::Loaded& loaded) {
  const checkpoint::Tensors& tensors = loaded.checkpoint().tensors();
  for (std::size_t i = 0; i < tensors.storage_count(); ++i) {
    unless_refused([&] {
      const auto source = loaded.open_storage(checkpoint::StorageId{static_cast<std::uint32_t>(i)});
      const std::uint64_t size = std::min(source->size(), kMostRead);
      const std::vector<std::byte> all = source->read(0, size);
      const std::vector<std::byte> part = source->read(size / 3, size / 2);
      require(std::equal(part.begin(), part.end(),
                         all.begin() + static_cast<std::ptrdiff_t>(size / 3)));
    });
  }
}

void load_and_read(const Directory& directory) {
  file::Folder folder(directory.path());
  const auto loaded = format::load_dcp(folder, kLimits);
  const checkpoint::Checkpoint& checkpoint = loaded->checkpoint();
  unless_refused([&] { list(checkpoint, checkpoint.root(), checkpoint::Want::Everything); });
  read_storages(*loaded);
}

}  // namespace
}  // namespace ptsd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ptsd::fuzz;
  static const Directory directory;
  const std::string_view input = ptsd::as_text(input_bytes(data, size));
  const std::size_t metadata = metadata_size(input);
  const std::string_view rest = metadata == input.size() ? input : input.substr(4);
  directory.write(".metadata", rest.substr(0, metadata));
  directory.write("__0_0.distcp", rest.substr(metadata));
  unless_refused([&] { load_and_read(directory); });
  return 0;
}
