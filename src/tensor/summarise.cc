// SPDX-License-Identifier: Apache-2.0
#include "tensor/summarise.h"

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

void count_bins(DType dtype, Bytes elements, const Bins& bins, std::span<std::uint64_t> counts) {
  find_summarise_kernels(dtype)->count_bins(
      elements.data(), elements.size() / info(dtype).item_size, bins.low, bins.high, counts);
}

}  // namespace ptsd::tensor
