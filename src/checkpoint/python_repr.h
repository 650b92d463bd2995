// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "checkpoint/names.h"

// Values as Python's repr() spells them.

namespace ptsd::checkpoint {

std::string repr(double value);
std::string repr_str(std::string_view text);
std::string repr_bytes(std::string_view bytes);

// All digits of a LongBytes or LongDigits node; in hexadecimal above 1,024 bytes, where decimal
// would be slow.
std::string repr_long(const pickle::Graph& graph, pickle::NodeId node);

// A scalar, bytes in any form, or a tuple or frozenset of such; "..." for what is longer or deeper
// than a key should be, "<type>" for what is no scalar.
std::string repr(const Names& names, pickle::NodeId node);

}  // namespace ptsd::checkpoint
