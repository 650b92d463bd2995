// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "checkpoint/names.h"
#include "checkpoint/plain_value.h"

// What a node that is no tensor shows to a person: its type as Python would name it, and its value
// where that is short.

namespace ptsd::checkpoint {

// "int", "OrderedDict", "numpy.ndarray", "argparse.Namespace".
std::string type_of(const Names& names, pickle::NodeId node);

// Whether the node is shown as one value although it has parts: a torch.Size, a numpy array, a
// date. Not where a part could hold more than numbers and text.
bool is_compound_value(const Names& names, pickle::NodeId node);

Value value_of(const Names& names, pickle::NodeId node);

}  // namespace ptsd::checkpoint
