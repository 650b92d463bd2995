// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_sink.h"
#include "base/byte_source.h"
#include "tensor/dtype.h"
#include "tensor/layout.h"

// The .npy file of numpy (numpy.lib.format): "\x93NUMPY", a version, the size of a header, the
// header as a Python dict literal, padded to a multiple of 64 bytes, and the elements in C order.

namespace ptsd::format {

// Whether numpy has the dtype: bool, the integers of 8 to 64 bits, float16 to float64, complex64
// and complex128.
bool has_npy_dtype(tensor::DType dtype);

// That of "f4" and its like, which say no byte order; nothing for what torch lacks.
std::optional<tensor::DType> find_npy_dtype(std::string_view code);

// What stands before the elements, as numpy.save() of numpy 2 writes it: version 1.0, or 2.0 for a
// shape that is too long for it. Throws Error::Unsupported unless has_npy_dtype().
std::string npy_header(tensor::DType dtype, tensor::Dims shape);

// The whole file. `elements` are in the byte order of this machine.
void write_npy(ByteSink& sink, tensor::DType dtype, tensor::Dims shape, const ByteSource& elements);

}  // namespace ptsd::format
