// SPDX-License-Identifier: Apache-2.0
#include "file/folder.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "base/quote.h"

namespace ptsd::file {

namespace fs = std::filesystem;

namespace {

bool stays_inside(std::string_view name) {
  if (name.find('\0') != std::string_view::npos) return false;
  while (true) {
    const std::size_t slash = name.find('/');
    const std::string_view segment = name.substr(0, slash);
    if (segment.empty() || segment == "." || segment == "..") return false;
    if (slash == std::string_view::npos) return true;
    name.remove_prefix(slash + 1);
  }
}

}  // namespace

void Folder::fail(Error::Kind kind, std::string message) const {
  throw Error(kind, {.file = path_}, std::move(message));
}

std::string Folder::path_of(std::string_view name) const {
  return (fs::path(path_) / name).string();
}

std::vector<std::string> Folder::names() const {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(path_.empty() ? "." : path_, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) fail(Error::Kind::Io, "cannot read: " + error.message());
  std::ranges::sort(names);
  return names;
}

bool Folder::has(std::string_view name) const {
  std::error_code error;
  return stays_inside(name) && fs::is_regular_file(path_of(name), error);
}

const InputFile& Folder::open(std::string_view name, std::string_view namer) {
  if (!stays_inside(name)) {
    fail(Error::Kind::Malformed, "the name of a part leads elsewhere: " + quote(name));
  }
  const auto found = files_.find(name);
  if (found != files_.end()) return *found->second;
  std::error_code error;
  if (!namer.empty() && !fs::exists(path_of(name), error)) {
    fail(Error::Kind::Io, fmt::format("{} is missing, which {} names", quote(name), namer));
  }
  auto file = std::make_unique<InputFile>(path_of(name));
  return *files_.emplace(name, std::move(file)).first->second;
}

const InputFile& Folder::open_named(const std::string& path) {
  auto file = std::make_unique<InputFile>(path);
  return *files_.insert_or_assign(fs::path(path).filename().string(), std::move(file))
              .first->second;
}

std::vector<const InputFile*> Folder::opened() const {
  std::vector<const InputFile*> all;
  for (const auto& [name, file] : files_) {
    all.push_back(file.get());
  }
  return all;
}

}  // namespace ptsd::file
