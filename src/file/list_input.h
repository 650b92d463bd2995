// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "base/byte_source.h"

namespace ptsd::file {

// A file of names that was asked for on the command line; "-" is standard input, which is read to
// its end. Throws Error::Limit for more than 1 GiB.
std::unique_ptr<ByteSource> open_list(const std::string& path);

}  // namespace ptsd::file
