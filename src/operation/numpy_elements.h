// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/names.h"

namespace ptsd::operation {

// What a numpy array or scalar is made of, whichever numpy and protocol wrote it.
struct NumpyElements {
  bool scalar = false;
  pickle::NodeId dtype{};
  std::vector<std::int64_t> shape = {};
  std::string bytes = {};  // in row-major order
};

// Nothing for another value, for one of a subclass, and for an array of objects.
std::optional<NumpyElements> numpy_elements(const checkpoint::Names& names, pickle::NodeId node);

// Whether the code of a dtype, and its byte order, is all there is to it: not of records, dates and
// the like.
bool is_plain_dtype(const checkpoint::Names& names, pickle::NodeId dtype);

}  // namespace ptsd::operation
