// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "checkpoint/listing.h"
#include "operation/diff_entries.h"
#include "operation/payload.h"
#include "tensor/differences.h"

// What two checkpoints differ in: names that only one has, tensors, and all other values. Entries
// are matched by their paths.

namespace ptsd::operation {

struct DiffSide {
  Payload payload;
  pickle::NodeId root{};
};

struct DiffOptions {
  tensor::CompareRules rules = {};
  bool close = false;           // the tolerance is the default for each pair of dtypes
  bool keys_only = false;       // names alone
  bool ignore_dtype = false;    // tensors of two dtypes are compared by value
  bool ignore_missing = false;  // names that only one has do not count
  bool strict_layout = false;   // device, requires_grad, strides and sharing count
  bool first_only = false;      // stop at the first difference; nothing but equal() is of use then
  unsigned threads = 1;
  // Which entries take part; null: all.
  std::function<bool(const checkpoint::Checkpoint&, const checkpoint::Entry&)> selects = {};
};

// What about a pair of tensors is not the same.
enum class Aspect : std::uint8_t {
  Kind,
  Layout,  // of sparse tensors
  DType,
  Shape,
  Coalesced,
  Values,
  Device,
  RequiresGrad,
  Stride,
  Sharing,
};

struct TensorChange {
  std::uint32_t a = 0;  // numbers of entries
  std::uint32_t b = 0;
  std::vector<Aspect> aspects = {};
  // If the values differ: nothing mismatched where a part that is no element differs. Indices count
  // the elements in row-major order.
  tensor::Differences differences = {};
  bool has_index = false;      // not where the tensor is made of several
  std::uint64_t compared = 0;  // elements
};

struct ValueChange {
  std::uint32_t a = 0;
  std::uint32_t b = 0;
};

struct Diff {
  Diff(const DiffSide& a, const DiffSide& b);

  DiffEntries entries_a;
  DiffEntries entries_b;
  std::vector<std::uint32_t> only_a = {};  // numbers of entries, in file order
  std::vector<std::uint32_t> only_b = {};
  // What the other container has no place for: no difference, and not compared.
  std::vector<std::uint32_t> apart_a = {};
  std::vector<std::uint32_t> apart_b = {};
  std::vector<TensorChange> changed = {};
  std::vector<ValueChange> other_changed = {};
  std::uint64_t same = 0;  // tensors and values

  bool equal() const {
    return only_a.empty() && only_b.empty() && changed.empty() && other_changed.empty();
  }
};

// Throws what opening and checking a storage does.
Diff diff(const DiffSide& a, const DiffSide& b, const DiffOptions& options);

}  // namespace ptsd::operation
