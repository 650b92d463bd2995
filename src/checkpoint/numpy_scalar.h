// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "checkpoint/names.h"

namespace ptsd::checkpoint {

struct Value;

// The bytes that a node stands for in one of the forms that Python pickles bytes in; nothing for
// what is no bytes object.
std::optional<std::string> bytes_of(const Names& names, pickle::NodeId node);
// Whether a call makes a bytes object of text or bytes, without a look at what is in them.
bool is_bytes(const Names& names, pickle::NodeId node);

// What a pickled numpy.dtype says: "f4" and its like, empty for what is none.
struct NumpyCode {
  std::string_view code;
  bool big_endian = false;

  bool operator==(const NumpyCode&) const = default;
};
NumpyCode numpy_code(const Names& names, pickle::NodeId dtype);

// "float64" for a pickled numpy.dtype; its code where numpy has no plain name for it.
std::string numpy_dtype_name(const Names& names, pickle::NodeId node);

// "numpy.float64" and the number, for a pickled numpy scalar.
std::string numpy_scalar_type(const Names& names, pickle::NodeId node);
Value numpy_scalar_value(const Names& names, pickle::NodeId node);

}  // namespace ptsd::checkpoint
