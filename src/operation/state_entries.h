// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "checkpoint/state_dict.h"
#include "tensor/dtype.h"
#include "tensor/layout.h"

namespace ptsd::operation {

// An entry of a state dict. Borrows from the checkpoint.
struct StateEntry {
  std::string_view name;
  pickle::NodeId value = {};
  std::optional<tensor::Dims> shape = {};  // nothing for what is no tensor
  tensor::DType dtype = {};
};

// As Python has them: of a key that stands twice, the first place and the last value.
std::vector<StateEntry> state_entries(const checkpoint::Checkpoint& checkpoint,
                                      const checkpoint::StateDict& state_dict);

}  // namespace ptsd::operation
