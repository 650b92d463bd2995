// SPDX-License-Identifier: Apache-2.0
#include "tensor/summarise.h"

#include <cmath>

#include "tensor/summarise_kernels.h"

namespace ptsd::tensor {

bool can_summarise(DType dtype) {
  return find_summarise_kernels(dtype) != nullptr;
}

Summary summarise(DType dtype, Bytes elements) {
  Summary summary;
  find_summarise_kernels(dtype)->summarise(elements.data(), elements.size() / info(dtype).item_size,
                                           summary);
  return summary;
}

// Rounded as numpy.linspace does; weighted where the whole width is more than float64 holds.
std::vector<double> bin_edges(const Summary& summary, std::size_t count) {
  auto low = static_cast<double>(summary.min);
  auto high = static_cast<double>(summary.max);
  if (low == high) {
    low -= 0.5;
    high += 0.5;
  }
  const double width = high - low;
  const double step = width / static_cast<double>(count);
  std::vector<double> edges;
  for (std::size_t i = 0; i < count; ++i) {
    const auto steps = static_cast<double>(i);
    const double share = steps / static_cast<double>(count);
    edges.push_back(std::isfinite(width) ? low + steps * step : low * (1 - share) + high * share);
  }
  edges.push_back(high);
  return edges;
}

void count_bins(DType dtype, Bytes elements, std::span<const double> edges,
                std::span<std::uint64_t> counts) {
  find_summarise_kernels(dtype)->count_bins(elements.data(),
                                            elements.size() / info(dtype).item_size, edges, counts);
}

}  // namespace ptsd::tensor
