// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <csignal>
#include <cstddef>
#include <string_view>

// Files that must not outlive us when a signal ends the process. SIGINT, SIGTERM, SIGHUP and
// SIGXCPU unlink them and then end the process as they would have without us, so that the shell
// sees the signal; a second one ends it at once. A signal that was ignored stays ignored. Threads
// other than the one that writes must block these signals (a thread begins with the mask of the
// one that made it).

namespace ptsd::file {

// A file created while no signal can come in between is registered, or does not exist.
class SignalsBlocked {
 public:
  SignalsBlocked();
  ~SignalsBlocked();
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

// Sets the handlers up where a signal has its default action. To be called before a file is
// created that a SignalCleanup shall remove.
void prepare_signal_cleanup();

// While it lives, a signal unlinks `name` in the open directory `folder`, which it borrows: a file,
// or a directory that is empty.
class SignalCleanup {
 public:
  static constexpr std::size_t kLongestName = 31;
  static constexpr std::size_t kMostFiles = 64;

  // The name is at most kLongestName bytes. Of more than kMostFiles at once the last ones stay.
  SignalCleanup(int folder, std::string_view name);
  ~SignalCleanup();
  SignalCleanup(const SignalCleanup&) = delete;
  SignalCleanup& operator=(const SignalCleanup&) = delete;

 private:
  std::size_t slot_;
};

// A write beyond `ulimit -f` fails with EFBIG instead of ending the process.
void ignore_file_size_signal();

}  // namespace ptsd::file
