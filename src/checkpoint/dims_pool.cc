// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/dims_pool.h"

#include <algorithm>

namespace ptsd::checkpoint {

std::size_t DimsPool::Hash::operator()(tensor::Dims dims) const {
  std::uint64_t hash = dims.size();
  for (const std::int64_t dim : dims) {
    hash = (hash ^ static_cast<std::uint64_t>(dim)) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 29;
  }
  return hash;
}

bool DimsPool::Equal::operator()(tensor::Dims a, tensor::Dims b) const {
  return std::ranges::equal(a, b);
}

DimsId DimsPool::intern(tensor::Dims dims) {
  if (const auto found = ids_.find(dims); found != ids_.end()) return found->second;
  const DimsId id{static_cast<std::uint32_t>(pooled_.size())};
  pooled_.push_back(numbers_.store(dims));
  ids_.emplace(pooled_.back(), id);
  return id;
}

}  // namespace ptsd::checkpoint
