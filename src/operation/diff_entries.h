// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>

#include "base/segmented.h"
#include "checkpoint/checkpoint.h"

namespace ptsd::operation {

// One way to something that can be compared. Containers are here for their type: what they hold
// has entries of its own.
struct DiffEntry {
  enum class Kind : std::uint8_t { Tensor, Value, Container };

  std::string_view path;  // owned by the entries
  pickle::NodeId node{};
  checkpoint::Maybe<checkpoint::TensorId> tensor = {};
  Kind kind = Kind::Value;
  bool is_leaf = true;  // nothing has an entry below it
};

// Everything below a node, in file order. A set is a value, as its items have no paths that another
// set would have.
class DiffEntries {
 public:
  DiffEntries(const checkpoint::Checkpoint& checkpoint, pickle::NodeId root);

  std::size_t size() const { return entries_.size(); }
  const DiffEntry& operator[](std::size_t number) const { return entries_[number]; }

 private:
  friend class DiffCollector;

  SpanArena<char> text_;
  SegmentedVector<DiffEntry> entries_;
};

}  // namespace ptsd::operation
