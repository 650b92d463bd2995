// SPDX-License-Identifier: Apache-2.0
#include "file/failure.h"

#include <cerrno>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace ptsd::file {
namespace {

std::string free_bytes(int descriptor) {
  struct statvfs system = {};
  if (::fstatvfs(descriptor, &system) != 0) return "an unknown number";
  return fmt::format("{}", std::uint64_t{system.f_bavail} * system.f_frsize);
}

std::string file_size_limit() {
  rlimit limit = {};
  const bool limited = ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
  return limited ? fmt::format("the limit is {}", limit.rlim_cur) : "the file system allows less";
}

std::string lack_of_room(int descriptor, std::uint64_t needed, int error) {
  switch (error) {
    case ENOSPC:
      return fmt::format("no space left: {} bytes needed, {} free", needed, free_bytes(descriptor));
    case EDQUOT:
      return fmt::format("disk quota exceeded: {} bytes needed, {} free on the file system", needed,
                         free_bytes(descriptor));
    case EFBIG:
      return fmt::format("too large a file: {} bytes needed, {}", needed, file_size_limit());
    default: return {};
  }
}

}  // namespace

std::string reason(int error) {
  if (error == EMFILE) return "more files than the system lets a process open (ulimit -n)";
  return std::generic_category().message(error);
}

void fail(Error::Kind kind, const std::string& path, std::string message) {
  throw Error(kind, Where{.file = path}, std::move(message));
}

void fail_to_write(const std::string& path, int descriptor, std::uint64_t offset,
                   std::uint64_t needed, int error) {
  std::string room = lack_of_room(descriptor, needed, error);
  if (!room.empty()) fail(Error::Kind::Io, path, std::move(room));
  throw Error(Error::Kind::Io, Where{.file = path, .offset = offset},
              "cannot write: " + reason(error));
}

}  // namespace ptsd::file
