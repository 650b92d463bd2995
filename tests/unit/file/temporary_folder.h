// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <doctest/doctest.h>

#include "base/error.h"

// What the tests of this folder share: a directory of their own, and the text of an error.

namespace ptsd::file {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "ptsd-file-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    folder_ = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name), std::ios::binary) << text;
    return path(name);
  }

  std::string read(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    REQUIRE(file.is_open());
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // The names in it, sorted.
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      names.push_back(entry.path().filename().string());
    }
    std::ranges::sort(names);
    return names;
  }

  struct stat status(const std::string& name) const {
    struct stat found = {};
    REQUIRE(::lstat(path(name).c_str(), &found) == 0);
    return found;
  }

  mode_t mode(const std::string& name) const { return status(name).st_mode & 07777; }

 private:
  std::filesystem::path folder_;
};

// What the work is refused with; empty when it is not.
template <class Work>
std::string refusal(Work work, Error::Kind kind = Error::Kind::Io) {
  try {
    work();
  } catch (const Error& error) {
    CHECK(to_string(error.kind()) == to_string(kind));
    return error.what();
  }
  return "";
}

}  // namespace ptsd::file
