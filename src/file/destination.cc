// SPDX-License-Identifier: Apache-2.0
#include "file/destination.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <memory>
#include <string_view>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.h"
#include "base/quote.h"
#include "file/failure.h"
#include "file/identity.h"

namespace ptsd::file {
namespace {

struct FileType {
  mode_t type;
  std::string_view what;
};

constexpr auto kOtherTypes = std::to_array<FileType>({
    {S_IFDIR,  "a directory"    },
    {S_IFCHR,  "a device"       },
    {S_IFBLK,  "a device"       },
    {S_IFIFO,  "a FIFO"         },
    {S_IFSOCK, "a socket"       },
    {S_IFLNK,  "a symbolic link"},
});

// What would make the rename fail at the very end.
struct Hindrance {
  std::uint64_t attribute;
  std::string_view what;
};

constexpr auto kHindrances = std::to_array<Hindrance>({
    {STATX_ATTR_IMMUTABLE,  "is immutable (chattr +i)"                   },
    {STATX_ATTR_APPEND,     "can only be appended to (chattr +a)"        },
    {STATX_ATTR_MOUNT_ROOT, "is a mount point, which nothing can replace"},
});

void check_regular(const std::string& path, const struct stat& found) {
  for (const FileType& other : kOtherTypes) {
    if ((found.st_mode & S_IFMT) == other.type) {
      fail(Error::Kind::Usage, path, fmt::format("is {}, expected a regular file", other.what));
    }
  }
}

[[noreturn]] void fail_to_follow(const std::string& path, int error) {
  if (error == ENOENT) fail(Error::Kind::Usage, path, "is a symbolic link to nothing");
  fail(Error::Kind::Io, path, "cannot follow the symbolic link: " + reason(error));
}

// What the symbolic link at `path` leads to; another path as it is.
std::string follow_links(const std::string& path) {
  struct stat found = {};
  if (::lstat(path.c_str(), &found) != 0 || !S_ISLNK(found.st_mode)) return path;
  if (::stat(path.c_str(), &found) != 0) fail_to_follow(path, errno);
  check_regular(path, found);
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), ::free);
  if (real == nullptr) fail_to_follow(path, errno);
  return real.get();
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

void refuse_standard_output(const std::string& path) {
  if (path != "-") return;
  fail(Error::Kind::Usage, path,
       "standard output cannot be written all at once; a file of this name is ./-");
}

Destination::Destination(const Target& target) : path_(target.path), overwrite_(target.overwrite) {
  refuse_standard_output(path_);
  const std::string path = follow_links(path_);
  name_ = path.substr(path.rfind('/') + 1);
  if (name_.empty() || name_ == "." || name_ == "..") {
    fail(Error::Kind::Usage, path_, "names a directory, expected a file");
  }
  open_folder(folder_of(path));
  check_folder();
  open_old();
  if (replaces()) check_old(target);
  if (!replaces() && target.in_place) fail(Error::Kind::Io, path_, "does not exist");
  if (replaces() && target.backup_suffix) check_backup(target);
}

void Destination::open_folder(const std::string& path) {
  constexpr int kFlags = O_DIRECTORY | O_CLOEXEC;
  folder_ = Descriptor(::open(path.c_str(), O_RDONLY | kFlags));
  if (!folder_.is_open() && errno == EACCES) {
    folder_can_be_synced_ = false;
    folder_ = Descriptor(::open(path.c_str(), O_PATH | kFlags));
  }
  if (!folder_.is_open()) {
    fail(Error::Kind::Io, path_,
         fmt::format("cannot open the directory {}: {}", quote(path), reason(errno)));
  }
}

// A file system that lets nobody but its server know says so when the file is created; and whatever
// else is wrong will show then.
void Destination::check_folder() const {
  if (::faccessat(folder(), ".", W_OK | X_OK, AT_EACCESS) == 0) return;
  if (errno != EACCES && errno != EROFS && errno != EPERM) return;
  fail(Error::Kind::Io, path_, "cannot create a file beside it: " + reason(errno));
}

void Destination::open_old() {
  if (::fstatat(folder(), name_.c_str(), &old_status_, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return;
    fail(Error::Kind::Io, path_, "cannot stat: " + reason(errno));
  }
  // Before it is opened: that alone would make a tape rewind.
  check_regular(path_, old_status_);
  constexpr int kFlags = O_NOFOLLOW | O_CLOEXEC;
  old_ = Descriptor(::openat(folder(), name_.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | kFlags));
  if (!replaces()) old_ = Descriptor(::openat(folder(), name_.c_str(), O_PATH | kFlags));
  if (!replaces()) fail(Error::Kind::Io, path_, "cannot open: " + reason(errno));
  if (::fstat(old(), &old_status_) != 0) {
    fail(Error::Kind::Io, path_, "cannot stat: " + reason(errno));
  }
  check_regular(path_, old_status_);
}

void Destination::check_old(const Target& target) const {
  if (!target.in_place && !target.overwrite) fail_because_it_exists();
  if (old_status_.st_nlink > 1 && !target.break_links) {
    fail(Error::Kind::Usage, path_,
         fmt::format("has {} hard links; --break-links replaces it under this name alone",
                     old_status_.st_nlink));
  }
  check_permission();
}

void Destination::check_permission() const {
  struct statx found = {};
  if (::statx(old(), "", AT_EMPTY_PATH, STATX_BASIC_STATS, &found) == 0) {
    for (const Hindrance& hindrance : kHindrances) {
      if ((found.stx_attributes & hindrance.attribute) != 0) {
        fail(Error::Kind::Io, path_, std::string(hindrance.what));
      }
    }
  }
  struct stat parent = {};
  if (::fstat(folder(), &parent) != 0) {
    fail(Error::Kind::Io, path_, "cannot stat its directory: " + reason(errno));
  }
  const uid_t user = ::geteuid();
  const bool sticky = (parent.st_mode & S_ISVTX) != 0;
  if (sticky && user != 0 && user != parent.st_uid && user != old_status_.st_uid) {
    fail(Error::Kind::Io, path_, "belongs to another user, in a directory with the sticky bit");
  }
}

void Destination::check_backup(const Target& target) {
  const std::string& suffix = *target.backup_suffix;
  if (suffix.empty() || suffix.find('/') != std::string::npos) {
    fail(Error::Kind::Usage, path_,
         fmt::format("{} cannot be the suffix of a backup", quote(suffix)));
  }
  backup_name_ = name_ + suffix;
  struct stat found = {};
  if (::fstatat(folder(), backup_name_.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) {
    fail(Error::Kind::Usage, path_ + suffix, "exists; a backup is never overwritten");
  }
  if (errno != ENOENT) fail(Error::Kind::Io, path_ + suffix, "cannot stat: " + reason(errno));
}

// With --force it was not there when the work began.
void Destination::fail_because_it_exists() const {
  if (overwrite_) fail(Error::Kind::Io, path_, "created by another program in the meantime");
  fail(Error::Kind::Usage, path_, "exists; --force overwrites it");
}

void Destination::check_unchanged() const {
  if (!replaces()) return;
  struct stat now = {};
  if (::fstatat(folder(), name_.c_str(), &now, AT_SYMLINK_NOFOLLOW) != 0 ||
      !same_file(old_status_, now) || !same_content(old_status_, now)) {
    fail(Error::Kind::Io, path_, "changed by another program in the meantime");
  }
}

}  // namespace ptsd::file
