// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "tensor/dtype.h"

namespace ptsd::format {

// What a config of a .pt2 archive says of a weight or constant (torch/_export/serde/schema.py,
// PayloadMeta and TensorMeta), in elements.
struct Pt2Tensor {
  tensor::DType dtype = {};
  std::vector<std::int64_t> sizes = {};
  std::vector<std::int64_t> strides = {};
  std::uint64_t offset = 0;
  std::uint64_t layout = 0;
  bool requires_grad = false;
  std::string device = {};  // "cuda:0"
};

struct Pt2Payload {
  std::string name = {};
  std::string path = {};  // of the record, in the folder of the config
  bool is_parameter = false;
  bool is_pickle = false;
  std::optional<Pt2Tensor> tensor = {};
};

// Calls `use` with the payloads in their order, of which none is kept. Throws Error::Malformed for
// JSON that is no such config, Error::Unsupported for sizes that are no numbers and for dtypes that
// are not known, Error::Limit for more payloads than Limits::entries.
void read_pt2_config(std::string_view json, const Where& origin, const Limits& limits,
                     const std::function<void(const Pt2Payload&)>& use);

}  // namespace ptsd::format
