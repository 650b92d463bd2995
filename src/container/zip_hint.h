// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "base/byte_source.h"
#include "base/bytes.h"

namespace ptsd::container {

// For messages only: what bytes look like that no record vouches for.

// What a file without an end record seems to have held: "local headers found in the first MiB:
// 'm/data.pkl' at 0x0, ..., 5 in all". Empty when it does not begin with a local header.
std::string local_header_hint(const ByteSource& source);

// The entries at the start of `bytes`, if they look like a central directory: "'m/x', 1 in all".
std::string central_header_hint(Bytes bytes);

}  // namespace ptsd::container
