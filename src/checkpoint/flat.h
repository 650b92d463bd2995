// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/draft.h"
#include "tensor/dtype.h"

namespace ptsd::checkpoint {

// Row-major elements, one behind the other, little-endian.
struct FlatTensor {
  std::string name;  // UTF-8
  tensor::DType dtype{};
  std::vector<std::int64_t> shape;
  Payload payload;           // the bytes are a part of what this gives:
  std::uint64_t offset = 0;  // where it begins, in bytes; shape and dtype tell its size
};

// What a format without pickles can hold: names, tensors that share nothing, and texts.
struct FlatCheckpoint {
  std::vector<FlatTensor> tensors = {};
  std::vector<std::pair<std::string, std::string>> metadata = {};  // sorted by key
};

}  // namespace ptsd::checkpoint
