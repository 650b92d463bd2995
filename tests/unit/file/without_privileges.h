// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

// While it lives, a process of root acts as a user who owns nothing; another one is as it was.

namespace ptsd::file {

class WithoutPrivileges {
 public:
  static constexpr uid_t kOwnsNothing = 65534;

  WithoutPrivileges() : is_other_(::geteuid() == 0 && ::seteuid(kOwnsNothing) == 0) {}
  ~WithoutPrivileges() {
    if (is_other_) [[maybe_unused]]
      const int back = ::seteuid(0);
  }
  WithoutPrivileges(const WithoutPrivileges&) = delete;
  WithoutPrivileges& operator=(const WithoutPrivileges&) = delete;

  // Whether files that the test made before belong to someone else.
  bool is_other() const { return is_other_; }

 private:
  bool is_other_;
};

}  // namespace ptsd::file
