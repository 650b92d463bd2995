// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/limits.h"
#include "tensor/dtype.h"

namespace ptsd::format {

// A chunk of a tensor in a .distcp file: an archive of torch.save that holds one tensor.
struct DcpChunk {
  const ByteSource& file;
  std::uint64_t offset;  // bytes
  std::uint64_t length;
  std::string subject;  // the name of the tensor, quoted, for errors
  tensor::DType dtype;
  std::vector<std::int64_t> shape;
};

// Its elements in row-major order, as values in the byte order of this machine, after a check of
// their CRC. Throws Error::Malformed for what is no archive with such a tensor, Error::Unsupported
// for a tensor that is not strided. Borrows the file.
std::unique_ptr<ByteSource> open_chunk(const DcpChunk& chunk, const Limits& limits);

}  // namespace ptsd::format
