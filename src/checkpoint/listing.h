// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/segmented.h"
#include "checkpoint/checkpoint.h"

namespace ptsd::checkpoint {

// One way to a value. An object that two paths lead to has two entries.
struct Entry {
  std::string_view path;  // owned by the listing
  pickle::NodeId node;
  std::optional<TensorId> tensor = std::nullopt;
  bool cycle = false;  // a container that is on this path already
};

// The entries below a node in file order. Every path is there once.
class Listing {
 public:
  const SegmentedVector<Entry>& tensors() const { return tensors_; }
  // Everything else that has no parts; empty if only tensors were wanted.
  const SegmentedVector<Entry>& others() const { return others_; }
  const std::vector<Warning>& warnings() const { return warnings_; }

 private:
  friend class Lister;

  SpanArena<char> text_;
  SegmentedVector<Entry> tensors_;
  SegmentedVector<Entry> others_;
  std::vector<Warning> warnings_;
};

enum class Want { Tensors, Everything };

Listing list(const Checkpoint& checkpoint, pickle::NodeId root, Want want);

}  // namespace ptsd::checkpoint
