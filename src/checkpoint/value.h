// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "checkpoint/names.h"

// What a node that is no tensor shows to a person: its type as Python would name it, and its value
// where that is short.

namespace ptsd::checkpoint {

struct Value {
  // Nothing: the type says it all. Text that is no str (a path, a date, an integer over 64 bits) is
  // `text` with `is_str` false.
  std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::int64_t>>
      value = {};
  bool is_str = false;
};

// "int", "OrderedDict", "numpy.ndarray", "argparse.Namespace".
std::string type_of(const Names& names, pickle::NodeId node);

// Whether the node is shown as one value although it has parts: a torch.Size, a numpy array, a
// date. Not where a part could hold more than numbers and text.
bool is_compound_value(const Names& names, pickle::NodeId node);

Value value_of(const Names& names, pickle::NodeId node);

}  // namespace ptsd::checkpoint
