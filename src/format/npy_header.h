// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "base/byte_source.h"
#include "format/numpy_tensor.h"

namespace ptsd::format {

// What stands before the elements of a .npy file (numpy.lib.format): "\x93NUMPY", a version of two
// bytes, the size of a dict literal (2 bytes in version 1, 4 in 2 and 3), and that.
struct NpyHeader {
  NumpyLayout layout;
  std::uint64_t size = 0;    // bytes before the elements
  std::string lacking = {};  // why torch can have no such array, and there is no dtype
};

inline constexpr std::string_view kNpyMagic = "\x93NUMPY";

// `where` names the file, and the member of an archive. Throws Error::Malformed for what numpy
// would not read, Error::Unsupported for structured arrays.
NpyHeader read_npy_header(const ByteSource& file, const Where& where);

}  // namespace ptsd::format
