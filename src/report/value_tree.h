// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checkpoint/checkpoint.h"
#include "report/output.h"

namespace ptsd::report {

// A value as an indented tree, one line for each thing in it; a value without parts is one line.
// Text is quoted and whole; tensors are named by dtype and shape.
void write_value_tree(Output& output, const checkpoint::Checkpoint& checkpoint,
                      pickle::NodeId root);

}  // namespace ptsd::report
