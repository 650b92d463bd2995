// SPDX-License-Identifier: Apache-2.0
#include "file/output_file.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/checked.h"
#include "file/attributes.h"
#include "file/failure.h"
#include "file/range_copy.h"
#include "file/read_at.h"
#include "file/signal_cleanup.h"

namespace ptsd::file {
namespace {

constexpr std::size_t kBufferSize = std::size_t{1} << 20;
// Below this the buffer is faster than a call of the system for each range.
constexpr std::uint64_t kWorthACall = std::uint64_t{64} << 10;
// Linux moves at most this many bytes in one call.
constexpr std::size_t kLargestWrite = 0x7ffff000;

constexpr mode_t kPrivate = 0600;
constexpr mode_t kForAll = 0666;

bool beyond_limit(std::uint64_t size) {
  rlimit limit = {};
  return ::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
         size > limit.rlim_cur;
}

// Whether the file system says that it has less. Asking for more would first take all there is.
bool beyond_free_space(int descriptor, std::uint64_t size) {
  struct statvfs system = {};
  const bool known = ::fstatvfs(descriptor, &system) == 0 && system.f_blocks > 0;
  return known && size / system.f_frsize > system.f_bfree;
}

int allocate(int descriptor, std::uint64_t size) {
  if (beyond_limit(size) || !std::in_range<off_t>(size)) return EFBIG;
  if (beyond_free_space(descriptor, size)) return ENOSPC;
  while (::fallocate(descriptor, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size)) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

}  // namespace

OutputFile::OutputFile(const Target& target)
    : destination_(target),
      mode_is_inherited_(!destination_.replaces() && has_default_acl(destination_.folder())),
      temporary_(destination_.folder(), path(), mode_is_inherited_ ? kForAll : kPrivate),
      written_(*this),
      buffer_(kBufferSize) {
  ignore_file_size_signal();
}

void OutputFile::fail_because(const char* what, int error) const {
  fail(Error::Kind::Io, path(), what + (": " + reason(error)));
}

// What a message about missing room names: what is known to come, at least what comes now.
std::uint64_t OutputFile::needed(std::uint64_t size) const {
  return std::max(size, reserved_ > flushed_ ? reserved_ - flushed_ : 0);
}

void OutputFile::reserve(std::uint64_t size) {
  if (size == 0) return;
  const int error = allocate(descriptor(), size);
  // Any other error only says that room cannot be taken beforehand.
  if (error == ENOSPC || error == EDQUOT || error == EFBIG || error == EIO) {
    fail_to_write(path(), descriptor(), 0, size, error);
  }
  reserved_ = size;
}

void OutputFile::write_through(Bytes bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(descriptor(), bytes.data(), std::min(bytes.size(), kLargestWrite),
                                 static_cast<off_t>(flushed_));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) {
      fail_to_write(path(), descriptor(), flushed_, needed(bytes.size()), put < 0 ? errno : EIO);
    }
    flushed_ += static_cast<std::uint64_t>(put);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

void OutputFile::flush() {
  write_through(Bytes(buffer_).first(buffered_));
  buffered_ = 0;
}

void OutputFile::write(Bytes bytes) {
  if (bytes.size() > buffer_.size() - buffered_) flush();
  if (bytes.size() >= buffer_.size()) return write_through(bytes);
  std::ranges::copy(bytes, std::span(buffer_).subspan(buffered_).begin());
  buffered_ += bytes.size();
}

void OutputFile::copy(const ByteSource& source, std::uint64_t offset, std::uint64_t size) {
  const auto* const input = dynamic_cast<const InputFile*>(&source);
  if (input != nullptr && size >= kWorthACall) {
    flush();
    const std::uint64_t done =
        copy_in_kernel(input->descriptor(), offset, descriptor(), flushed_, size);
    flushed_ += done;
    offset += done;
    size -= done;
  }
  while (size > 0) {
    if (buffered_ == buffer_.size()) flush();
    const std::uint64_t part = std::min<std::uint64_t>(size, buffer_.size() - buffered_);
    const auto room = std::span(buffer_).subspan(buffered_, static_cast<std::size_t>(part));
    source.read(offset, room);
    buffered_ += room.size();
    offset += part;
    size -= part;
  }
}

void OutputFile::Written::read(std::uint64_t offset, std::span<std::byte> out) const {
  read_at(*this, output_.descriptor(), offset, out);
}

const ByteSource& OutputFile::written() {
  flush();
  return written_;
}

void OutputFile::set_attributes(std::vector<Warning>& warnings) const {
  if (destination_.replaces()) {
    keep_attributes(destination_.old(), descriptor(), path(), warnings);
  } else if (!mode_is_inherited_) {
    set_mode(descriptor(), mode_of_new_file(), path(), warnings);
  }
}

// Some file systems tell at close() what they could not write. Closing a second descriptor asks
// them while the file can still be thrown away.
void OutputFile::sync() const {
  if (::fsync(descriptor()) != 0) fail_because("cannot sync", errno);
  const int second = ::fcntl(descriptor(), F_DUPFD_CLOEXEC, 0);
  if (second < 0 || ::close(second) != 0) fail_because("cannot close", errno);
}

void OutputFile::keep_backup() const {
  const std::string& name = destination_.name();
  const std::string& backup = destination_.backup_name();
  if (::linkat(destination_.folder(), name.c_str(), destination_.folder(), backup.c_str(), 0) !=
      0) {
    fail_because("cannot keep the file that is replaced as a backup", errno);
  }
}

void OutputFile::put_in_place() {
  if (!destination_.replaces()) {
    const int error = temporary_.take_name(destination_.name());
    if (error == EEXIST) destination_.fail_because_it_exists();
    if (error != 0) fail_because("cannot be given its name", error);
    return;
  }
  // A signal must not find the backup without the replacement.
  const SignalsBlocked blocked;
  const bool backup = !destination_.backup_name().empty();
  if (backup) keep_backup();
  const int error = temporary_.replace(destination_.name());
  if (error == 0) return;
  if (backup) ::unlinkat(destination_.folder(), destination_.backup_name().c_str(), 0);
  fail_because("cannot be replaced", error);
}

void OutputFile::sync_folder(std::vector<Warning>& warnings) const {
  if (!destination_.folder_can_be_synced()) {
    warnings.push_back({Where{.file = path()}, "in place, but its directory cannot be synced"});
    return;
  }
  if (::fsync(destination_.folder()) == 0) return;
  // Some file systems cannot sync directories.
  if (errno == EINVAL || errno == ENOTSUP || errno == ENOSYS) return;
  fail_because("in place, but not known to be durable", errno);
}

std::vector<Warning> OutputFile::commit(std::span<const InputFile* const> inputs) {
  flush();
  // What was reserved and not used is given back.
  if (reserved_ > flushed_ && ::ftruncate(descriptor(), static_cast<off_t>(flushed_)) != 0) {
    fail_because("cannot set the size", errno);
  }
  std::vector<Warning> warnings;
  set_attributes(warnings);
  sync();
  for (const InputFile* const input : inputs) {
    input->check_unchanged();
  }
  destination_.check_unchanged();
  put_in_place();
  sync_folder(warnings);
  return warnings;
}

}  // namespace ptsd::file
