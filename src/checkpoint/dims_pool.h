// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "base/segmented.h"
#include "tensor/layout.h"

namespace ptsd::checkpoint {

enum class DimsId : std::uint32_t {};

// Shapes and strides, each kept once: a checkpoint has far fewer than tensors.
class DimsPool {
 public:
  DimsPool() { intern({}); }

  DimsId intern(tensor::Dims dims);
  tensor::Dims operator[](DimsId id) const { return pooled_[static_cast<std::size_t>(id)]; }

 private:
  struct Before {
    bool operator()(tensor::Dims a, tensor::Dims b) const;
  };

  SpanArena<std::int64_t> numbers_;
  std::vector<tensor::Dims> pooled_;  // the empty one first
  // A tree, since the input chooses the keys.
  std::map<tensor::Dims, DimsId, Before> ids_;
};

}  // namespace ptsd::checkpoint
