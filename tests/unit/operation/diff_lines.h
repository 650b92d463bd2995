// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "operation/diff.h"
#include "unit/operation/diff_input.h"

// What diff() finds, as lines that a test can spell.

namespace ptsd::operation::test {

using namespace ptsd::test;
using checkpoint::Lines;

inline std::string_view to_string(Aspect aspect) {
  constexpr auto kNames =
      std::to_array<std::string_view>({"kind", "layout", "dtype", "shape", "is_coalesced", "values",
                                       "device", "requires_grad", "stride", "sharing"});
  return kNames[static_cast<std::size_t>(aspect)];
}

// "- path", "+ path", "~ path what", "! path" of other values, and how many are the same.
inline Lines lines(const Diff& diff) {
  Lines all;
  for (const std::uint32_t number : diff.only_a) {
    all.push_back(fmt::format("- {}", diff.entries_a[number].path));
  }
  for (const std::uint32_t number : diff.only_b) {
    all.push_back(fmt::format("+ {}", diff.entries_b[number].path));
  }
  for (const TensorChange& change : diff.changed) {
    std::vector<std::string_view> aspects;
    for (const Aspect aspect : change.aspects) {
      aspects.push_back(to_string(aspect));
    }
    std::string line =
        fmt::format("~ {} {}", diff.entries_a[change.a].path, fmt::join(aspects, ", "));
    const tensor::Differences& found = change.differences;
    if (found.mismatched > 0) line += fmt::format(" {}/{}", found.mismatched, change.compared);
    if (found.max_abs) line += fmt::format(" {} at {}", found.max_abs->value, found.max_abs->index);
    all.push_back(line);
  }
  for (const ValueChange& change : diff.other_changed) {
    all.push_back(fmt::format("! {}", diff.entries_a[change.a].path));
  }
  all.push_back(fmt::format("{} same", diff.same));
  return all;
}

inline Lines diff_of(const DiffInput& a, const DiffInput& b, const DiffOptions& options = {}) {
  return lines(diff(a.side(), b.side(), options));
}

inline Lines diff_of(const Fragment& a, const Fragment& b, const DiffOptions& options = {}) {
  return diff_of(DiffInput(a), DiffInput(b), options);
}

}  // namespace ptsd::operation::test
