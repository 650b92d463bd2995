// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>

#include "base/byte_source.h"
#include "checkpoint/tensors.h"

namespace ptsd::checkpoint {

// Which elements of a storage a tensor shows. Offset and strides are in elements; all elements lie
// in the storage.
struct Geometry {
  std::uint64_t offset = 0;
  tensor::Dims shape;
  tensor::Dims stride;
};

Geometry geometry_of(const Tensors& tensors, const Tensor& tensor);

// The elements in row-major order, whatever the strides, as values in the byte order of this
// machine: byte order, conj and neg are resolved. To be read in whole elements; safe to read from
// several threads if `storage` is. Nothing is held.
std::unique_ptr<ByteSource> element_source(const Tensor& tensor, const Geometry& geometry,
                                           std::unique_ptr<ByteSource> storage, bool big_endian);
std::unique_ptr<ByteSource> element_source(const Tensors& tensors, const Tensor& tensor,
                                           std::unique_ptr<ByteSource> storage, bool big_endian);

}  // namespace ptsd::checkpoint
