// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <unordered_set>
#include <vector>

#include "checkpoint/draft.h"
#include "checkpoint/state_dict.h"
#include "operation/rebuild_call.h"

// Who uses which storage, as a draft has it: what lies below its root counts, and nothing else.

namespace ptsd::operation {

// A strided tensor with a storage. Parameters and sparse tensors are made from such.
struct User {
  pickle::NodeId node;  // that a RebuildCall makes
  checkpoint::TensorId tensor;
  bool chosen = false;  // the state dicts hold it, or what is made from it
};

struct TensorUsers {
  std::vector<User> users;                         // chosen ones in the order of the state dicts
  std::unordered_set<checkpoint::StorageId> bare;  // storages that are values themselves
  std::uint64_t cloned = 0;                        // tensors, in the graph of the draft
};

// With `clone`, an entry that is the same object as something else in the checkpoint becomes a
// tensor of its own (of the same storage), unless all places of the object are entries: then the
// first keeps it. Throws Error::Unsupported for an entry that cannot be laid out anew, or cloned,
// and for other tensors of storages that entries use.
TensorUsers find_users(checkpoint::Draft& draft,
                       const std::vector<checkpoint::StateDict>& state_dicts, bool clone);

}  // namespace ptsd::operation
