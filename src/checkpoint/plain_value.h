// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace ptsd::checkpoint {

// A value that is no tensor, as a person or a script wants to see it.
struct Value {
  // Nothing: the type says it all. Text that is no str (a path, a date, an integer over 64 bits) is
  // `text` with `is_str` false.
  std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::int64_t>>
      value = {};
  bool is_str = false;
};

}  // namespace ptsd::checkpoint
