// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>

#include "checkpoint/names.h"

namespace ptsd::checkpoint {

// A pickled numpy.ndarray, as numpy 1 and 2 write it at any protocol.
struct NumpyArray {
  pickle::NodeId dtype;
  pickle::NodeId shape;  // a tuple
  pickle::NodeId data;   // bytes in one of their forms, or a list for an object array
  bool fortran = false;  // the first index runs fastest
};

std::optional<NumpyArray> find_numpy_array(const Names& names, pickle::NodeId node);

}  // namespace ptsd::checkpoint
