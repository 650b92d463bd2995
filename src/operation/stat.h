// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "operation/payload.h"
#include "tensor/summarise.h"

namespace ptsd::operation {

// What the elements of a tensor are like.
struct TensorStat {
  std::uint64_t count = 0;                      // elements that were looked at
  std::optional<tensor::Summary> summary = {};  // nothing where elements are no numbers
  std::vector<double> edges = {};               // of the bins of the histogram
  std::vector<std::uint64_t> histogram = {};    // both are empty where no element is finite
};

struct StatOptions {
  std::size_t bins = 7;  // of a histogram, at least 1
  unsigned threads = 1;
};

// Of each of the tensors, in their order. Of a sparse or nested tensor its values count; a tensor
// without bytes (meta) has no summary. Throws what opening and checking a storage does.
std::vector<TensorStat> stat(const Payload& payload, std::span<const checkpoint::TensorId> tensors,
                             const StatOptions& options);

}  // namespace ptsd::operation
