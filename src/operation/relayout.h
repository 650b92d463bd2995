// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "checkpoint/draft.h"
#include "checkpoint/state_dict.h"

namespace ptsd::operation {

// What is done, in this order, to the tensors of the state dicts and what these are made from.
struct RelayoutOptions {
  // Tensors that share a storage with another tensor below the root, or are the same object, get
  // one of their own that holds their elements row by row. If all that share are chosen, the first
  // keeps the storage.
  bool untie = false;
  // Tensors get row-major strides. One that shares its storage is Error::Conflict, unless all that
  // share it are the same view, and stay so.
  bool contiguous = false;
  // Storages are cut to what all tensors below the root use of them (see Compaction).
  bool shrink = false;
};

struct Relaid {
  std::uint64_t untied = 0;      // tensors that got another storage or record
  std::uint64_t contiguous = 0;  // tensors that got other strides
  std::uint64_t shrunk = 0;      // storages
};

// Bytes are moved, never interpreted: conj and neg bits stay. It is to be the last edit: it goes on
// from what the draft says of storages and calls. Throws Error::Unsupported for forms that it
// cannot change (packed dtypes, wrapper subclasses, tensors of the 0.x era), naming the tensor, and
// Error::Limit where tensors with a stride of 0 would grow to over 16 times their storage and,
// taken together, over 1 GiB.
Relaid relayout(checkpoint::Draft& draft, const std::vector<checkpoint::StateDict>& state_dicts,
                const RelayoutOptions& options);

}  // namespace ptsd::operation
