// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "file/input_file.h"

namespace ptsd::file {

// The files of one directory, opened by the names that an untrusted file gives them: none leads
// out of it. Once opened, a file stays open.
class Folder {
 public:
  explicit Folder(std::string path) : path_(std::move(path)) {}
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const std::string& path() const { return path_; }
  // Of the entries in it, sorted. Throws Error::Io for a directory that cannot be read.
  std::vector<std::string> names() const;
  // Whether there is a file of this name; false for a name that leads out.
  bool has(std::string_view name) const;
  // `name` may have "/" in it. Throws Error::Malformed for one that is empty, absolute, or has an
  // empty, "." or ".." segment, and Error::Io for a file that cannot be opened. `namer` is what
  // names the file: "the index".
  const InputFile& open(std::string_view name, std::string_view namer = {});
  // One that is open.
  const InputFile& get(std::string_view name) const { return *files_.find(name)->second; }
  // The file that the user named, wherever it is.
  const InputFile& open_named(const std::string& path);
  // All that were opened, in the order of their names.
  std::vector<const InputFile*> opened() const;

  [[noreturn]] void fail(Error::Kind kind, std::string message) const;

 private:
  std::string path_of(std::string_view name) const;

  std::string path_;
  std::map<std::string, std::unique_ptr<InputFile>, std::less<>> files_;
};

}  // namespace ptsd::file
