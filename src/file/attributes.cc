// SPDX-License-Identifier: Apache-2.0
#include "file/attributes.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <optional>
#include <string_view>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/quote.h"
#include "file/failure.h"

namespace ptsd::file {
namespace {

// Linux has nothing longer, neither lists nor values.
constexpr std::size_t kLongestAttribute = 65536;

constexpr const char* kAccessList = "system.posix_acl_access";
constexpr const char* kDefaultAccessList = "system.posix_acl_default";

// Of the content as it was.
constexpr auto kNotKept =
    std::to_array<std::string_view>({"security.capability", "security.ima", "security.evm"});

std::optional<std::string> attribute(int descriptor, const std::string& name) {
  std::string value(kLongestAttribute, '\0');
  const ssize_t size = ::fgetxattr(descriptor, name.c_str(), value.data(), value.size());
  if (size < 0) return std::nullopt;
  value.resize(static_cast<std::size_t>(size));
  return value;
}

// The names stand one behind the other, each with a zero byte at its end.
std::vector<std::string> split_names(std::string_view list) {
  std::vector<std::string> names;
  while (!list.empty()) {
    const std::size_t end = std::min(list.find('\0'), list.size());
    names.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return names;
}

class Keeper {
 public:
  Keeper(int from, int to, const std::string& path, std::vector<Warning>& warnings)
      : from_(from), to_(to), path_(path), warnings_(warnings) {}

  void keep_all() {
    struct stat old = {};
    if (::fstat(from_, &old) != 0) return warn("mode, owner and attributes", errno);
    const bool owner = keep_owner(old);
    // One that the directory passes on is not the file's.
    ::fremovexattr(to_, kAccessList);
    set_mode(to_, kept_mode(old), path_, warnings_);
    for (const std::string& name : names()) {
      if (is_kept(name, owner)) keep(name);
    }
  }

 private:
  void warn(std::string_view what, int error) {
    warnings_.push_back(
        {Where{.file = path_}, fmt::format("{} not kept: {}", what, reason(error))});
  }

  bool keep_owner(const struct stat& old) {
    struct stat own = {};
    if (::fstat(to_, &own) == 0 && own.st_uid == old.st_uid && own.st_gid == old.st_gid)
      return true;
    if (::fchown(to_, old.st_uid, old.st_gid) == 0) return true;
    warn(fmt::format("owner {} and group {}", old.st_uid, old.st_gid), errno);
    // Members of the group may give it without being the owner.
    group_kept_ = ::fchown(to_, static_cast<uid_t>(-1), old.st_gid) == 0;
    return false;
  }

  // Another group gets no more than everybody has.
  mode_t kept_mode(const struct stat& old) const {
    const mode_t mode = old.st_mode & 01777;
    if (group_kept_) return mode;
    const mode_t others = (mode & S_IRWXO) << 3;
    return (mode & ~static_cast<mode_t>(S_IRWXG)) | (mode & S_IRWXG & others);
  }

  std::vector<std::string> names() {
    std::string list(kLongestAttribute, '\0');
    const ssize_t size = ::flistxattr(from_, list.data(), list.size());
    // A file that may not be read is open with O_PATH.
    const int error = errno == EBADF ? EACCES : errno;
    if (size < 0 && error != ENOTSUP) warn("extended attributes", error);
    list.resize(static_cast<std::size_t>(std::max(size, ssize_t{0})));
    return split_names(list);
  }

  bool is_kept(const std::string& name, bool owner) {
    if (std::ranges::find(kNotKept, name) != kNotKept.end()) return false;
    // Its entries for owner and group would speak of others.
    const bool about_others = !owner && name == kAccessList;
    if (about_others) warn("access control list", EPERM);
    return !about_others;
  }

  void keep(const std::string& name) {
    const std::optional<std::string> value = attribute(from_, name);
    // A label is often there from the start, where setting it takes privileges.
    if (value && value == attribute(to_, name)) return;
    if (value && ::fsetxattr(to_, name.c_str(), value->data(), value->size(), 0) == 0) return;
    warn("extended attribute " + quote(name), errno);
  }

  int from_;
  int to_;
  const std::string& path_;
  std::vector<Warning>& warnings_;
  bool group_kept_ = true;
};

}  // namespace

mode_t mode_of_new_file() {
  // It can only be read by setting it.
  const mode_t mask = ::umask(0777);
  ::umask(mask);
  return 0666 & ~mask;
}

void set_mode(int descriptor, mode_t mode, const std::string& path,
              std::vector<Warning>& warnings) {
  struct stat found = {};
  if (::fstat(descriptor, &found) == 0 && (found.st_mode & 07777) == mode) return;
  if (::fchmod(descriptor, mode) == 0) return;
  warnings.push_back(
      {Where{.file = path}, fmt::format("mode {:04o} not kept: {}", mode, reason(errno))});
}

void keep_attributes(int from, int to, const std::string& path, std::vector<Warning>& warnings) {
  Keeper(from, to, path, warnings).keep_all();
}

bool has_default_acl(int folder) {
  return ::fgetxattr(folder, kDefaultAccessList, nullptr, 0) > 0;
}

}  // namespace ptsd::file
