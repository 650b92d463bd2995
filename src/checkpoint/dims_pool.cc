// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/dims_pool.h"

#include <algorithm>

namespace ptsd::checkpoint {

bool DimsPool::Before::operator()(tensor::Dims a, tensor::Dims b) const {
  return std::ranges::lexicographical_compare(a, b);
}

DimsId DimsPool::intern(tensor::Dims dims) {
  if (const auto found = ids_.find(dims); found != ids_.end()) return found->second;
  const DimsId id{static_cast<std::uint32_t>(pooled_.size())};
  pooled_.push_back(numbers_.store(dims));
  ids_.emplace(pooled_.back(), id);
  return id;
}

}  // namespace ptsd::checkpoint
