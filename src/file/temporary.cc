// SPDX-License-Identifier: Apache-2.0
#include "file/temporary.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/error.h"
#include "file/failure.h"

namespace ptsd::file {
namespace {

constexpr std::string_view kPrefix = ".ptsd-";
constexpr std::string_view kSuffix = ".tmp";
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::size_t kRandomLetters = 8;

}  // namespace

std::string temporary_name() {
  std::array<unsigned char, kRandomLetters> random = {};
  // Names that are not random are tried one after the other, and cost no more than that.
  [[maybe_unused]] const ssize_t got = ::getrandom(random.data(), random.size(), 0);
  std::string name(kPrefix);
  for (const unsigned char byte : random)
    name += kLetters[byte % kLetters.size()];
  return name.append(kSuffix);
}

namespace {

std::string path_in_proc(int descriptor) {
  return fmt::format("/proc/self/fd/{}", descriptor);
}

// Without /proc it could never get a name.
Descriptor open_unnamed(int folder, mode_t mode) {
  Descriptor file(::openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode));
  if (!file.is_open() || ::access(path_in_proc(file.number()).c_str(), F_OK) != 0) return {};
  return file;
}

// Whoever finds the name sees by the lock that it is in use. Where there are no locks it looks
// stale, which is a remark and nothing more.
void lock(int descriptor) {
  ::flock(descriptor, LOCK_EX | LOCK_NB);
}

bool is_locked(int folder, const std::string& name) {
  const Descriptor file(
      ::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  return file.is_open() && ::flock(file.number(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

}  // namespace

Temporary::Temporary(int folder, const std::string& path, mode_t mode)
    : folder_(folder), file_(open_unnamed(folder, mode)) {
  prepare_signal_cleanup();
  if (!file_.is_open()) open_named(path, mode);
}

Temporary::~Temporary() {
  if (name_.empty()) return;
  const SignalsBlocked blocked;
  ::unlinkat(folder_, name_.c_str(), 0);
  forget_name();
}

void Temporary::open_named(const std::string& path, mode_t mode) {
  const SignalsBlocked blocked;
  const int error = with_free_name([&](const std::string& name) {
    constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    file_ = Descriptor(::openat(folder_, name.c_str(), kFlags, mode));
    if (!file_.is_open()) return errno;
    keep_name(name);
    return 0;
  });
  if (error != 0) fail(Error::Kind::Io, path, "cannot create a file beside it: " + reason(error));
  lock(descriptor());
}

void Temporary::keep_name(const std::string& name) {
  name_ = name;
  cleanup_.emplace(folder_, name_);
}

int Temporary::forget_name() {
  cleanup_.reset();
  name_.clear();
  return 0;
}

int Temporary::link_as(const std::string& name) const {
  const std::string path = path_in_proc(descriptor());
  const bool done = ::linkat(AT_FDCWD, path.c_str(), folder_, name.c_str(), AT_SYMLINK_FOLLOW) == 0;
  return done ? 0 : errno;
}

int Temporary::link_temporarily() {
  return with_free_name([&](const std::string& name) {
    const int error = link_as(name);
    if (error == 0) keep_name(name);
    return error;
  });
}

int Temporary::take_name(const std::string& name) {
  const SignalsBlocked blocked;
  return name_.empty() ? link_as(name) : rename_to_free(name);
}

// File systems that know no RENAME_NOREPLACE say EINVAL; some of them have no links either, and
// there a name that appears between a look and the rename cannot be noticed.
int Temporary::rename_to_free(const std::string& name) {
  const char* const from = name_.c_str();
  const char* const to = name.c_str();
  if (::renameat2(folder_, from, folder_, to, RENAME_NOREPLACE) == 0) return forget_name();
  if (errno != EINVAL && errno != ENOSYS) return errno;
  if (::linkat(folder_, from, folder_, to, 0) == 0) {
    // If it fails, the destructor tries again.
    return ::unlinkat(folder_, from, 0) == 0 ? forget_name() : 0;
  }
  if (errno == EEXIST) return EEXIST;
  struct stat found = {};
  if (::fstatat(folder_, to, &found, AT_SYMLINK_NOFOLLOW) == 0) return EEXIST;
  if (errno != ENOENT) return errno;
  return ::renameat(folder_, from, folder_, to) == 0 ? forget_name() : errno;
}

int Temporary::replace(const std::string& name) {
  const SignalsBlocked blocked;
  if (name_.empty()) {
    if (const int error = link_temporarily(); error != 0) return error;
  }
  if (::renameat(folder_, name_.c_str(), folder_, name.c_str()) != 0) return errno;
  return forget_name();
}

bool is_temporary_name(std::string_view name) {
  if (name.size() != kPrefix.size() + kRandomLetters + kSuffix.size()) return false;
  const std::string_view letters = name.substr(kPrefix.size(), kRandomLetters);
  return name.starts_with(kPrefix) && name.ends_with(kSuffix) &&
         letters.find_first_not_of(kLetters) == std::string_view::npos;
}

std::vector<std::string> stale_temporaries(int folder) {
  std::vector<std::string> names;
  const int own = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(own < 0 ? nullptr : ::fdopendir(own),
                                                    ::closedir);
  if (listing == nullptr) return names;
  while (const dirent* const entry = ::readdir(listing.get())) {
    const std::string name(entry->d_name);
    if (is_temporary_name(name) && !is_locked(folder, name)) names.push_back(name);
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace ptsd::file
