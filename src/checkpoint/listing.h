// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
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
  Maybe<TensorId> tensor = {};
};

// The entries below a node in file order. Every path is there once, unless the names in a module
// are forged: "a.b" beside "b" in "a".
class Listing {
 public:
  const SegmentedVector<Entry>& tensors() const { return tensors_; }
  // Everything else that has no parts; empty if only tensors were wanted.
  const SegmentedVector<Entry>& others() const { return others_; }
  // Whether others()[number] is a container that is on its own path already.
  bool is_cycle(std::uint32_t number) const { return std::ranges::binary_search(cycles_, number); }
  const std::vector<Warning>& warnings() const { return warnings_; }

 private:
  friend class Lister;

  SpanArena<char> text_;
  SegmentedVector<Entry> tensors_;
  SegmentedVector<Entry> others_;
  std::vector<std::uint32_t> cycles_;  // numbers of others, rising
  std::vector<Warning> warnings_;
};

enum class Want { Tensors, Everything };

Listing list(const Checkpoint& checkpoint, pickle::NodeId root, Want want);

// Whether a node has one entry, whatever its parts: a tensor, whose attributes come after it, or a
// compound value.
bool is_listed_whole(const Checkpoint& checkpoint, pickle::NodeId node,
                     std::optional<pickle::NodeId>& attributes);

}  // namespace ptsd::checkpoint
