// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "checkpoint/children.h"

namespace ptsd::checkpoint {

// Whether an object is a pickled torch.nn.Module: one whose state holds the dicts _parameters,
// _buffers and _modules. The class need not be known.
bool is_nn_module(const Names& names, pickle::NodeId node);

// Its parts under the names that they have as attributes, in the order of state_dict():
// parameters, persistent buffers, submodules; then the buffers that state_dict() leaves out, and
// every other attribute.
Children nn_module_parts(const Names& names, pickle::NodeId node);

// What state_dict() takes from a module itself, and the modules that it asks next; both in order,
// without what is registered as None.
struct ModuleState {
  std::vector<Child> entries;  // parameters and persistent buffers
  std::vector<Child> modules = {};
  bool has_hooks = false;  // functions that may change what state_dict() gives
};
ModuleState nn_module_state(const Names& names, pickle::NodeId node);

}  // namespace ptsd::checkpoint
