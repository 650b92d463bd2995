// SPDX-License-Identifier: Apache-2.0
#include "file/output_folder.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "base/error.h"
#include "base/quote.h"
#include "file/destination.h"
#include "file/failure.h"
#include "file/temporary.h"

namespace ptsd::file {

namespace fs = std::filesystem;

namespace {

// "a/b/" is the directory b in a.
std::string without_slash(std::string path) {
  while (path.size() > 1 && path.ends_with('/'))
    path.pop_back();
  return path;
}

std::string parent_of(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

[[noreturn]] void fail_because_it_exists(const std::string& path) {
  fail(Error::Kind::Usage, path, "exists; parts are written into a new directory");
}

// The directory for one of a name that nothing has.
Descriptor open_parent(const std::string& path) {
  refuse_standard_output(path);
  const std::string parent = parent_of(path);
  Descriptor opened(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened.is_open()) {
    fail(Error::Kind::Io, path,
         "cannot open the directory " + quote(parent) + ": " + reason(errno));
  }
  struct stat found = {};
  if (::lstat(path.c_str(), &found) == 0) fail_because_it_exists(path);
  return opened;
}

}  // namespace

void OutputFolder::check(const std::string& path) {
  open_parent(without_slash(path));
}

OutputFolder::OutputFolder(std::string path)
    : path_(without_slash(std::move(path))),
      parent_path_(parent_of(path_)),
      parent_(open_parent(path_)) {
  prepare_signal_cleanup();
  create();
}

OutputFolder::~OutputFolder() {
  if (temporary_.empty()) return;
  std::error_code ignored;
  fs::remove_all(fs::path(parent_path_) / temporary_, ignored);
}

void OutputFolder::create() {
  constexpr mode_t kForAll = 0777;
  const SignalsBlocked blocked;
  const int error = with_free_name([&](const std::string& name) {
    if (::mkdirat(parent_.number(), name.c_str(), kForAll) != 0) return errno;
    temporary_ = name;
    cleanup_.emplace(parent_.number(), name);
    return 0;
  });
  if (error != 0) {
    fail(Error::Kind::Io, path_, "cannot create a directory beside it: " + reason(error));
  }
}

std::string OutputFolder::path_of(const std::string& name) const {
  const fs::path path = fs::path(parent_path_) / temporary_ / name;
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (error) fail(Error::Kind::Io, path_, "cannot create a directory in it: " + error.message());
  return path.string();
}

void OutputFolder::commit() {
  const std::string name = fs::path(path_).filename().string();
  {
    const SignalsBlocked blocked;
    if (::renameat2(parent_.number(), temporary_.c_str(), parent_.number(), name.c_str(),
                    RENAME_NOREPLACE) != 0) {
      const int error = errno;
      if (error == EEXIST) fail_because_it_exists(path_);
      // A file system without RENAME_NOREPLACE: only an empty directory would be replaced.
      if (error != EINVAL ||
          ::renameat(parent_.number(), temporary_.c_str(), parent_.number(), name.c_str()) != 0) {
        fail(Error::Kind::Io, path_, "cannot be given its name: " + reason(error));
      }
    }
    cleanup_.reset();
    temporary_.clear();
  }
  if (::fsync(parent_.number()) != 0) {
    fail(Error::Kind::Io, path_, "in place, but not known to be durable: " + reason(errno));
  }
}

}  // namespace ptsd::file
