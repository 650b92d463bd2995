// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "base/segmented.h"
#include "pickle/graph.h"

// The memo of a pickle: any 32-bit index may be set, in any order, more than once. Indices that
// grow with the number of entries, as every pickler writes them, lie in an array; a wild one goes
// to a map, so that five bytes of input cannot ask for 16 GiB. The map is a tree: the input chooses
// the keys, and could choose such as fall into one bucket of a hash table.

namespace ptsd::pickle {

class Memo {
 public:
  void put(std::uint64_t index, NodeId node) {
    if (!get(index)) ++count_;
    if (index >= dense_.size() + kLargestGap) {
      sparse_[index] = node;
      return;
    }
    while (dense_.size() <= index) {
      dense_.push_back(kUnset);
    }
    dense_[index] = node;
  }

  std::optional<NodeId> get(std::uint64_t index) const {
    if (index < dense_.size() && dense_[index] != kUnset) return dense_[index];
    if (sparse_.empty()) return std::nullopt;
    const auto found = sparse_.find(index);
    if (found == sparse_.end()) return std::nullopt;
    return found->second;
  }

  // How many indices are set: the one MEMOIZE sets next.
  std::uint64_t count() const { return count_; }

 private:
  static constexpr std::uint64_t kLargestGap = 16;
  static constexpr NodeId kUnset{0xFFFFFFFF};

  SegmentedVector<NodeId> dense_;
  std::map<std::uint64_t, NodeId> sparse_;
  std::uint64_t count_ = 0;
};

}  // namespace ptsd::pickle
