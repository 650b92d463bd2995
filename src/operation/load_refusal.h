// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "checkpoint/checkpoint.h"

// Why torch would not copy a value of a checkpoint into a parameter, in its words.

namespace ptsd::operation {

// The class of a value as str(type(value)) names it: "collections.OrderedDict", "int".
std::string class_of(const checkpoint::Names& names, pickle::NodeId node);

struct TensorOf {
  const checkpoint::Checkpoint& checkpoint;
  pickle::NodeId node;
};

// What copy_() raises for a tensor of the same shape, in torch 2.13; nothing where it copies. A
// target that is no dense tensor is not judged; one on the meta device stands for a dense one.
std::optional<std::string> copy_refusal(const TensorOf& source, const TensorOf& target);

}  // namespace ptsd::operation
