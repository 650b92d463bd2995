// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "checkpoint/state_dict.h"
#include "operation/state_entries.h"

// What load_state_dict() of torch 2.13 (torch/nn/modules/module.py) would say of a checkpoint, for
// a model whose own state dict has the names and shapes of another one. Modules are taken from
// those names and from _metadata; they load as Module does, and what has running_mean,
// running_var and num_batches_tracked as a BatchNorm does. The model's tensors are plain ones.

namespace ptsd::operation {

struct StateDictOf {
  const checkpoint::Checkpoint& checkpoint;
  const checkpoint::StateDict& state_dict;
};

// An entry that is there and does not load.
struct LoadError {
  enum class Kind { Size, NoTensor, Copy };

  Kind kind;
  std::string_view name;
  tensor::Dims checkpoint = {};  // shapes; not of what is no tensor
  tensor::Dims reference = {};
  std::string what = {};  // NoTensor: the class; Copy: what copy_() complains of
};

// Everything in the order in which torch tells it. Borrows from both checkpoints.
struct Fit {
  std::vector<std::string_view> missing;
  std::vector<std::string_view> unexpected;
  std::vector<LoadError> errors;
  std::vector<std::string_view> name_only;     // entries of the reference that are no tensors
  std::vector<std::string_view> other_dtypes;  // copied with a conversion

  bool loads(bool strict) const {
    return errors.empty() && (!strict || (missing.empty() && unexpected.empty()));
  }
};

// Throws Error::Unsupported for a nested tensor in the checkpoint, whose shape torch refuses to
// tell.
Fit fit(const StateDictOf& checkpoint, const StateDictOf& reference);

// Whether an entry can be loaded into one with its name.
bool has_fitting_shape(const StateEntry& entry, const StateEntry& reference);

}  // namespace ptsd::operation
