// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/byte_source.h"
#include "base/bytes.h"

namespace ptsd::container {

// Inflates raw deflate data to exactly `size` bytes; to more or less, or data that go on after
// the stream's end, throw Error::Malformed at `where`. Allocates only once `size` is known to be
// possible: no deflate stream grows by more than 1032:1.
std::vector<std::byte> inflate(Bytes data, std::uint64_t size, const Where& where);

}  // namespace ptsd::container
