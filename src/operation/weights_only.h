// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"

// Whether torch.load(weights_only=True), the default since torch 2.6, would load a checkpoint;
// source: torch/_weights_only_unpickler.py of torch 2.13, without user-allowed globals.

namespace ptsd::operation {

struct Refusal {
  std::string what;      // "opcode FRAME", "global pathlib.PosixPath", "items of a defaultdict"
  std::uint64_t offset;  // in the pickle
};

struct WeightsOnly {
  bool loads() const { return refused.empty(); }
  std::vector<Refusal> refused;  // each thing once, in the order of the stream
};

WeightsOnly check_weights_only(const checkpoint::Checkpoint& checkpoint);

// Whether the global, in its Python 3 spelling, is allowed by default.
bool weights_only_allows(pickle::GlobalName name);

}  // namespace ptsd::operation
