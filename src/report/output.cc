// SPDX-License-Identifier: Apache-2.0
#include "report/output.h"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <poll.h>
#include <sys/ioctl.h>
#include <system_error>
#include <unistd.h>

#include "base/error.h"

namespace ptsd::report {
namespace {

constexpr std::size_t kBufferSize = std::size_t{1} << 16;
constexpr unsigned kUsualColumns = 80;

unsigned terminal_columns(int descriptor) {
  winsize size = {};
  if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualColumns;
  return size.ws_col;
}

[[noreturn]] void fail_output(int error) {
  throw Error(Error::Kind::Io, {.file = "standard output"},
              "cannot write: " + std::generic_category().message(error));
}

// A descriptor shared with a program that made it non-blocking.
void wait_until_writable(int descriptor) {
  pollfd ready = {.fd = descriptor, .events = POLLOUT, .revents = 0};
  poll(&ready, 1, -1);
}

[[noreturn]] void end_by_closed_pipe() {
  std::signal(SIGPIPE, SIG_DFL);
  std::raise(SIGPIPE);
  _exit(128 + SIGPIPE);  // where the signal is blocked
}

}  // namespace

Output::Output(Color color, int descriptor)
    : descriptor_(descriptor),
      is_terminal_(isatty(descriptor) == 1),
      columns_(is_terminal_ ? terminal_columns(descriptor) : 0),
      style_(color, is_terminal_) {}

void Output::write(std::string_view text) {
  buffer_ += text;
  if (buffer_.size() >= kBufferSize) flush();
}

void Output::finish() {
  flush();
  // A duplicate, so that descriptor 1 does not become the next file that is opened.
  const int duplicate = dup(descriptor_);
  if (duplicate < 0 || close(duplicate) != 0) fail_output(errno);
}

void Output::flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t count = ::write(descriptor_, rest.data(), rest.size());
    if (count >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno == EPIPE) {
      end_by_closed_pipe();
    } else if (errno == EAGAIN) {
      wait_until_writable(descriptor_);
    } else if (errno != EINTR) {
      fail_output(errno);
    }
  }
  buffer_.clear();
}

}  // namespace ptsd::report
