// SPDX-License-Identifier: Apache-2.0
#include "format/open.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/module_state.h"
#include "checkpoint/nn_module.h"
#include "checkpoint/resolve.h"
#include "format/dcp.h"
#include "format/probe.h"
#include "format/shard_folder.h"

namespace ptsd::format {
namespace {

namespace fs = std::filesystem;

bool exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

[[noreturn]] void fail_path(const Address& address) {
  throw Error(Error::Kind::Usage, {.file = address.file},
              "nothing at " + quote(address.path) + " in this checkpoint");
}

[[noreturn]] void fail_no_module(const Address& address) {
  throw Error(Error::Kind::Usage, {.file = address.file},
              "no pickled torch.nn.Module before '~state_dict' in " + quote(address.path));
}

bool is_directory(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

// Not a file that happens to be called so.
bool is_set(const std::string& path) {
  return is_set_name(fs::path(path).filename().string()) && !exists(path);
}

std::string folder_of(const std::string& path) {
  return is_directory(path) ? path : fs::path(path).parent_path().string();
}

std::unique_ptr<Loaded> load_path(const std::string& path, file::Folder& folder,
                                  const Limits& limits) {
  if (is_directory(path)) return load_folder(folder, limits);
  if (is_set(path)) return load_set(folder, fs::path(path).filename().string(), limits);
  if (is_part_of_dcp(folder, fs::path(path).filename().string())) {
    fail_usage(fmt::format("a part of a torch.distributed.checkpoint: give its directory, {}",
                           quote(folder.path().empty() ? "." : folder.path())),
               path);
  }
  return load(Input{.source = folder.open_named(path), .folder = &folder}, limits);
}

// The path as far as a module, and what lies in its state dict.
struct ModulePath {
  std::string_view module;
  std::string_view rest;
};

std::optional<ModulePath> split_at_state_dict(std::string_view path) {
  constexpr std::string_view kSegment = "~state_dict";
  for (std::size_t at = path.find(kSegment); at != std::string_view::npos;
       at = path.find(kSegment, at + 1)) {
    const std::size_t end = at + kSegment.size();
    if (at > 0 && path[at - 1] != '/') continue;
    if (end < path.size() && path[end] != '/') continue;
    return ModulePath{.module = path.substr(0, at - (at > 0)),
                      .rest = path.substr(std::min(end + 1, path.size()))};
  }
  return std::nullopt;
}

}  // namespace

Address parse_address(const std::string& text) {
  if (text.empty()) fail_usage("the name of a file is empty");
  if (exists(text) || is_set(text)) return {.file = text, .path = ""};
  for (std::size_t hash = text.find('#'); hash != std::string::npos;
       hash = text.find('#', hash + 1)) {
    if (exists(text.substr(0, hash)) || is_set(text.substr(0, hash))) {
      return {.file = text.substr(0, hash), .path = text.substr(hash + 1)};
    }
  }
  return {.file = text, .path = ""};
}

Opened::Opened(const Address& address, const Limits& limits)
    : address_(address),
      folder_(folder_of(address.file)),
      loaded_(load_path(address.file, folder_, limits)),
      root_(checkpoint().root()) {
  const std::optional<ModulePath> split = split_at_state_dict(address.path);
  enter(split ? split->module : address.path);
  if (!split) return;
  if (!is_module()) fail_no_module(address);
  enter_module();
  enter(split->rest);
}

void Opened::enter(std::string_view path) {
  if (path.empty()) return;
  const std::optional<pickle::NodeId> found = checkpoint::resolve(checkpoint(), root_, path);
  if (!found) fail_path(address_);
  root_ = *found;
}

bool Opened::is_module() const {
  return is_nn_module(checkpoint().names(), root_);
}

void Opened::enter_module() {
  root_ = add_module_state(checkpoint(), root_);
}

void Opened::check_unchanged() const {
  for (const file::InputFile* file : files()) {
    file->check_unchanged();
  }
}

}  // namespace ptsd::format
