// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "format/assembly.h"

namespace ptsd::format {

// What numpy says of the elements of an array.
struct NumpyLayout {
  tensor::DType dtype{};
  bool big_endian = false;
  bool fortran = false;  // the first index runs fastest
  std::vector<std::int64_t> shape = {};
};

// The array as a tensor with a storage of its own, whose bytes are swapped as they are read where
// the array is big-endian. `subject` begins the error for bytes that are too few or too many:
// Error::Malformed at `where`.
pickle::NodeId numpy_tensor(Assembly& assembly, const NumpyLayout& layout,
                            std::unique_ptr<StorageBytes> bytes, const Where& where,
                            std::string_view subject);

}  // namespace ptsd::format
