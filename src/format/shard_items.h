// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/flat.h"
#include "checkpoint/mapping.h"
#include "format/shard_plan.h"

// What shards are planned for.

namespace ptsd::format {

// The tensors, of which none shares a storage with another.
std::vector<ShardItem> shard_items(const checkpoint::FlatCheckpoint& flat);

// The entries of a dict, each with all that is below it. Those that have a storage in common, be it
// by way of a third, have one number, and each the size of all that these use. Throws
// Error::Unsupported for what is no dict of names.
std::vector<ShardItem> shard_items(const checkpoint::Checkpoint& checkpoint, pickle::NodeId dict);

// The entries, as they are numbered there.
std::vector<checkpoint::Pair> shard_entries(const checkpoint::Checkpoint& checkpoint,
                                            pickle::NodeId dict);

}  // namespace ptsd::format
