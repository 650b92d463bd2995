// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ptsd::operation {

// One rule of `rename`.
struct Suggestion {
  enum class Kind { Prefix, Unwrap, Whole };

  Kind kind;
  std::string from = {};  // Prefix: empty to put `to` before all names
  std::string to = {};
  std::uint64_t fixes = 0;  // names of the reference that are there afterwards, and fit

  bool operator==(const Suggestion&) const = default;
};

// Rules that fix as many names each, and contradict the first: nothing tells which one is meant.
using Rivals = std::vector<Suggestion>;

}  // namespace ptsd::operation
