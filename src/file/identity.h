// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/stat.h>

// Whether two looks at a file saw the same one, and whether it was written to in between.

namespace ptsd::file {

bool same_file(const struct stat& a, const struct stat& b);

// Size, and the times of the last change of content and of status, to the nanosecond.
bool same_content(const struct stat& a, const struct stat& b);

}  // namespace ptsd::file
