// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.h"

namespace ptsd::operation {

// A top-level part of a checkpoint. The tensors that lie directly in the root are one part
// together, with an empty path: a flat state dict is one section, not a thousand.
struct Section {
  std::string path;
  pickle::NodeId node;
  bool is_container = false;  // otherwise a value
  std::uint64_t tensors = 0;
  std::uint64_t bytes = 0;  // of the logical tensors
};

std::vector<Section> sections_of(const checkpoint::Checkpoint& checkpoint, pickle::NodeId root);

}  // namespace ptsd::operation
