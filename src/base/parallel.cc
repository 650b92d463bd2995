// SPDX-License-Identifier: Apache-2.0
#include "base/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace ptsd {
namespace {

class Loop {
 public:
  Loop(std::size_t count, const std::function<void(std::size_t)>& work)
      : count_(count), work_(work) {}

  void run() {
    for (std::size_t i = next_++; i < count_; i = next_++) {
      try {
        work_(i);
      } catch (...) {
        note(i, std::current_exception());
      }
    }
  }

  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  // Numbers are handed out in order: all below the lowest that failed have been called.
  void note(std::size_t number, std::exception_ptr error) {
    const std::scoped_lock lock(mutex_);
    next_ = count_;
    if (error_ && failed_ < number) return;
    failed_ = number;
    error_ = std::move(error);
  }

  std::size_t count_;
  const std::function<void(std::size_t)>& work_;
  std::atomic<std::size_t> next_ = 0;
  std::mutex mutex_;
  std::size_t failed_ = 0;
  std::exception_ptr error_;
};

}  // namespace

unsigned usable_threads() {
  return std::max(1u, std::thread::hardware_concurrency());
}

void parallel_for(unsigned threads, std::size_t count,
                  const std::function<void(std::size_t)>& work) {
  Loop loop(count, work);
  std::vector<std::jthread> others;
  try {
    for (std::size_t i = 1; i < std::min<std::size_t>(threads, count); ++i) {
      others.emplace_back([&loop] { loop.run(); });
    }
  } catch (const std::system_error&) {
    // Those that were granted will do.
  }
  loop.run();
  others.clear();
  loop.rethrow();
}

}  // namespace ptsd
