// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

// How a call to the system that failed is told.

namespace ptsd::file {

// "Permission denied", for EACCES.
std::string reason(int error);

[[noreturn]] void fail(Error::Kind kind, const std::string& path, std::string message);

// A write at `offset` of the file behind `descriptor` was refused with `error`. Where room was
// missing the message has the bytes that were needed and the bytes that are free.
[[noreturn]] void fail_to_write(const std::string& path, int descriptor, std::uint64_t offset,
                                std::uint64_t needed, int error);

}  // namespace ptsd::file
