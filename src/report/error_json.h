// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/error.h"

namespace ptsd::report {

// The error as one line of JSON, "ptsd.error/1". Parts of the place that are unknown are null;
// bytes that are not UTF-8 are replaced.
std::string error_json(const Error& error);

}  // namespace ptsd::report
