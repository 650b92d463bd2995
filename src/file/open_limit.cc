// SPDX-License-Identifier: Apache-2.0
#include "file/open_limit.h"

#include <sys/resource.h>

namespace ptsd::file {

// Where it fails, opening says so once there are too many.
void raise_open_limit() {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace ptsd::file
