// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "checkpoint/draft.h"
#include "operation/same_value.h"

namespace ptsd::operation {

// Another checkpoint, to be merged into a draft: the second of the inputs is number 1.
struct MergeInput {
  const checkpoint::Checkpoint& checkpoint;
  pickle::NodeId root;
  std::size_t number;
};

// What becomes of a path that two inputs have with different values.
enum class OnConflict { Error, First, Last };

struct Merged {
  std::uint64_t added = 0;      // entries that only a later input has
  std::uint64_t equal = 0;      // that both have alike
  std::uint64_t conflicts = 0;  // that were settled
};

// The deep union: dicts merge key by key, in the order of the first that has a key; _metadata
// and the texts of a safetensors header merge with the dict they belong to. Sharing inside each
// input is kept, and the storages of the later inputs get keys of their own. Throws Error::Conflict
// naming a path with two values, or of two types that do not merge; Error::Limit where dicts meet
// one another on too many paths.
Merged merge(checkpoint::Draft& draft, const std::vector<MergeInput>& others, OnConflict policy,
             const OpenStorage& open);

}  // namespace ptsd::operation
