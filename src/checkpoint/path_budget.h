// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "base/limits.h"

namespace ptsd::checkpoint {

// Bounds the length of all paths together: a key that the memo shares can stand in all of them.
class PathBudget {
 public:
  explicit PathBudget(const Limits& limits) : paths_(limits.entries) {}

  // Whether so many bytes more are within it.
  bool spend(std::size_t bytes) {
    spelled_ += bytes;
    return spelled_ / kPathBytes <= paths_;
  }
  // What to say when they are not.
  std::string message() const {
    return fmt::format("paths of more than {} times {} bytes (--limit entries=N)", paths_,
                       kPathBytes);
  }

 private:
  static constexpr std::uint64_t kPathBytes = 128;  // on the average

  std::uint64_t paths_;
  std::uint64_t spelled_ = 0;  // bytes
};

}  // namespace ptsd::checkpoint
