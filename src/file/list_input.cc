// SPDX-License-Identifier: Apache-2.0
#include "file/list_input.h"

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <unistd.h>
#include <vector>

#include "file/failure.h"
#include "file/input_file.h"

namespace ptsd::file {
namespace {

constexpr std::uint64_t kMost = std::uint64_t{1} << 30;  // bytes
constexpr std::size_t kBlock = std::size_t{64} << 10;

const std::string kStandardInput = "standard input";

void check_size(const std::string& name, std::uint64_t size) {
  if (size > kMost) fail(Error::Kind::Limit, name, "over 1 GiB of names");
}

std::vector<std::byte> read_standard_input() {
  std::vector<std::byte> bytes;
  std::vector<std::byte> block(kBlock);
  while (true) {
    const ssize_t count = ::read(STDIN_FILENO, block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(Error::Kind::Io, kStandardInput, "cannot read: " + reason(errno));
    if (count == 0) return bytes;
    bytes.insert(bytes.end(), block.begin(), block.begin() + count);
    check_size(kStandardInput, bytes.size());
  }
}

}  // namespace

std::unique_ptr<ByteSource> open_list(const std::string& path) {
  if (path == "-") {
    return std::make_unique<MemorySource>(kStandardInput, read_standard_input());
  }
  auto file = std::make_unique<InputFile>(path);
  check_size(path, file->size());
  return file;
}

}  // namespace ptsd::file
