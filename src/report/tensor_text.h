// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "checkpoint/tensors.h"

namespace ptsd::report {

// The path as a name in a table, escaped. The empty one is ''.
void append_name(std::string& out, std::string_view path);

// "[64, 10]"; a size that only the payload tells is "?".
std::string shape_text(tensor::Dims dims);

// How tensors read in a table. A checkpoint has few shapes and many tensors, so the text of each
// is made once.
class TensorText {
 public:
  TensorText(const checkpoint::Tensors& tensors, bool exact_bytes)
      : tensors_(tensors), exact_bytes_(exact_bytes) {}

  const std::string& shape(checkpoint::DimsId dims, tensor::Dims sizes);
  // The logical bytes.
  const std::string& bytes(const checkpoint::Tensor& tensor);
  // The dtype, and what is not plain about the tensor: "float32 sparse_csr".
  void append_type(std::string& out, const checkpoint::Tensor& tensor) const;

 private:
  const checkpoint::Tensors& tensors_;
  bool exact_bytes_;
  std::unordered_map<std::uint32_t, std::string> shapes_;
  std::unordered_map<std::uint64_t, std::string> bytes_;
};

}  // namespace ptsd::report
