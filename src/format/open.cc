// SPDX-License-Identifier: Apache-2.0
#include "format/open.h"

#include <filesystem>
#include <optional>
#include <system_error>

#include "base/quote.h"
#include "checkpoint/resolve.h"
#include "format/probe.h"

namespace ptsd::format {
namespace {

namespace fs = std::filesystem;

bool exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

// A directory is no file to read; say what it looks like.
[[noreturn]] void fail_directory(const std::string& path) {
  const fs::path directory(path);
  std::string message = "a directory without .metadata, not a checkpoint";
  if (exists(directory / ".metadata") || exists(directory / "__0.metadata")) {
    message = "a directory of torch.distributed.checkpoint: not supported yet";
  } else if (exists(directory / "model.safetensors.index.json") ||
             exists(directory / "pytorch_model.bin.index.json")) {
    message = "a directory with a sharded checkpoint: not supported yet";
  }
  throw Error(Error::Kind::Unsupported, {.file = path}, message);
}

[[noreturn]] void fail_path(const Address& address) {
  throw Error(Error::Kind::Usage, {.file = address.file},
              "nothing at " + quote(address.path) + " in this checkpoint");
}

const std::string& checked(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) fail_directory(path);
  return path;
}

}  // namespace

Address parse_address(const std::string& text) {
  if (exists(text)) return {.file = text, .path = ""};
  for (std::size_t hash = text.find('#'); hash != std::string::npos;
       hash = text.find('#', hash + 1)) {
    if (exists(text.substr(0, hash))) {
      return {.file = text.substr(0, hash), .path = text.substr(hash + 1)};
    }
  }
  return {.file = text, .path = ""};
}

Opened::Opened(const Address& address, const Limits& limits)
    : address_(address),
      file_(checked(address.file)),
      loaded_(load(file_, limits)),
      root_(checkpoint().root()) {
  if (address.path.empty()) return;
  const std::optional<pickle::NodeId> found =
      checkpoint::resolve(checkpoint(), root_, address.path);
  if (!found) fail_path(address);
  root_ = *found;
}

}  // namespace ptsd::format
