// SPDX-License-Identifier: Apache-2.0
#include "file/input_file.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

namespace ptsd::file {
namespace {

// Linux moves at most this many bytes in one call.
constexpr std::size_t kLargestRead = 0x7ffff000;

std::string reason(int error) {
  return std::generic_category().message(error);
}

bool same_time(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool same_content(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && same_time(a.st_mtim, b.st_mtim) &&
         same_time(a.st_ctim, b.st_ctim);
}

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace

InputFile::InputFile(std::string path)
    : path_(std::move(path)),
      // A FIFO must not hang the open: it is refused below.
      descriptor_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) {
  if (descriptor_ < 0) fail(Error::Kind::Io, "cannot open: " + reason(errno));
  const bool regular = ::fstat(descriptor_, &opened_) == 0 && S_ISREG(opened_.st_mode);
  if (!regular) {
    ::close(descriptor_);
    fail(Error::Kind::Io, "not a regular file");
  }
}

InputFile::~InputFile() {
  ::close(descriptor_);
}

void InputFile::read(std::uint64_t offset, std::span<std::byte> out) const {
  while (!out.empty()) {
    const ssize_t got = ::pread(descriptor_, out.data(), std::min(out.size(), kLargestRead),
                                static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_at(offset, Error::Kind::Io, "cannot read: " + reason(errno));
    if (got == 0) {
      fail_at(offset, Error::Kind::Io,
              fmt::format("changed while reading: {} more bytes wanted, the file ends here",
                          out.size()));
    }
    offset += static_cast<std::uint64_t>(got);
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

void InputFile::check_unchanged() const {
  struct stat now = {};
  if (::fstat(descriptor_, &now) != 0) fail(Error::Kind::Io, "cannot stat: " + reason(errno));
  if (!same_content(opened_, now)) fail(Error::Kind::Io, "changed while reading");
  if (::stat(path_.c_str(), &now) != 0 || !same_file(opened_, now)) {
    fail(Error::Kind::Io, "replaced by another file while reading");
  }
}

}  // namespace ptsd::file
