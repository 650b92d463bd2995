// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/mapping.h"

namespace ptsd::checkpoint {

// A dict with text keys only that directly holds tensors: what load_state_dict() takes. `path` is
// relative to the root of the search, in the spelling of a listing.
struct StateDict {
  std::string path;
  pickle::NodeId node;
};

std::vector<std::string> paths_of(const std::vector<StateDict>& state_dicts);

// Its entries, in the order of the stream; keys are text.
std::vector<Pair> entries_of(const Checkpoint& checkpoint, const StateDict& state_dict);

bool is_state_dict(const Checkpoint& checkpoint, pickle::NodeId node);

// All below a node, itself among them, in file order, each object once. Nothing below an integer
// key of a dict counts: that is the state of an optimizer. torch.distributed.checkpoint makes texts
// of such keys, and so digits alone are taken for one.
std::vector<StateDict> find_state_dicts(const Checkpoint& checkpoint, pickle::NodeId root);

// Those an edit works on. `wanted` holds paths, to any state dict there is, or "*" for all that
// find_state_dicts() gives; if it is empty: the root, else the first of the usual names, else the
// only one of them. Throws Error::Usage that lists the candidates where that does not lead to one.
std::vector<StateDict> choose_state_dicts(const Checkpoint& checkpoint, pickle::NodeId root,
                                          const std::vector<std::string>& wanted);

}  // namespace ptsd::checkpoint
