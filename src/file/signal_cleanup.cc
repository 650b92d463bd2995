// SPDX-License-Identifier: Apache-2.0
#include "file/signal_cleanup.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <fcntl.h>
#include <unistd.h>

namespace ptsd::file {
namespace {

constexpr auto kSignals = std::to_array<int>({SIGINT, SIGTERM, SIGHUP, SIGXCPU});

constexpr int kFree = -1;
constexpr int kTaken = -2;

// What the handler reads: static, and complete as soon as `folder` is a descriptor.
struct Slot {
  std::atomic<int> folder = kFree;
  std::array<char, SignalCleanup::kLongestName + 1> name = {};
};
static_assert(std::atomic<int>::is_always_lock_free);

std::array<Slot, SignalCleanup::kMostFiles> slots;

void clean_up(int signal) {
  for (const Slot& slot : slots) {
    const int folder = slot.folder.load();
    if (folder < 0 || ::unlinkat(folder, slot.name.data(), 0) == 0) continue;
    ::unlinkat(folder, slot.name.data(), AT_REMOVEDIR);
  }
  // SA_RESETHAND has put the default action back.
  ::raise(signal);
}

}  // namespace

SignalsBlocked::SignalsBlocked() : before_() {
  sigset_t all;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before_);
}

SignalsBlocked::~SignalsBlocked() {
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void prepare_signal_cleanup() {
  for (const int signal : kSignals) {
    struct sigaction action = {};
    if (::sigaction(signal, nullptr, &action) != 0 || action.sa_handler != SIG_DFL) continue;
    action.sa_handler = clean_up;
    action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
    ::sigaction(signal, &action, nullptr);
  }
}

SignalCleanup::SignalCleanup(int folder, std::string_view name) : slot_(0) {
  for (; slot_ < slots.size(); ++slot_) {
    Slot& slot = slots[slot_];
    int expected = kFree;
    if (!slot.folder.compare_exchange_strong(expected, kTaken)) continue;
    const std::size_t size = std::min(name.size(), kLongestName);
    std::ranges::copy(name.substr(0, size), slot.name.begin());
    slot.name[size] = '\0';
    slot.folder = folder;
    return;
  }
}

SignalCleanup::~SignalCleanup() {
  if (slot_ < slots.size()) slots[slot_].folder = kFree;
}

void ignore_file_size_signal() {
  ::signal(SIGXFSZ, SIG_IGN);
}

}  // namespace ptsd::file
