// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checkpoint/checkpoint.h"

namespace ptsd::checkpoint {

// Adds to the graph what state_dict() gives of a pickled torch.nn.Module (by is_nn_module()): an
// OrderedDict of dotted names, with parameters detached, and buffers as they are. Nothing refers to
// it, so that the module is still what it was.
//
// What only the class knows is not in it: the versions of modules (_metadata), extra states, what
// hooks would do. The checkpoint then warns of hooks, and of tensors that are left out, such as
// buffers that are not persistent. Throws Error::Unsupported for a submodule that is not pickled as
// modules are, and for one of PyTorch's that pack their weights; Error::Malformed for two entries
// of one name, for a name that is no str and for a module inside itself; Error::Limit.
pickle::NodeId add_module_state(Checkpoint& checkpoint, pickle::NodeId module);

}  // namespace ptsd::checkpoint
