// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <vector>

#include "operation/state_entries.h"
#include "operation/suggestion.h"

// Which renames would make a checkpoint fit.

namespace ptsd::operation {

struct Suggestions {
  std::vector<Suggestion> rules;   // to be applied in this order
  std::vector<Rivals> rivals;      // of which none is among them
  std::vector<std::string> names;  // what the entries of the checkpoint are called afterwards
  bool complete = true;            // false: too many names of one shape to compare them all
};

// Rules for prefixes first, the one that mends most before the others: none makes two entries one
// or takes away a name that fits, and none is taken that another could stand for as well. Then
// single names: an entry that nothing expects and one that is missing, of the same shape and dtype,
// each nearer to the other than to any further name; half of the name must stay, unless no other
// two have that shape and dtype.
//
// The time is bounded: names of over 1,024 bytes are left alone, a name's first 12 segments are
// looked at, 16 rules at most are found for prefixes, and 2^28 steps are spent on comparing names,
// on small groups of one shape first.
Suggestions suggest(std::span<const StateEntry> checkpoint, std::span<const StateEntry> reference);

}  // namespace ptsd::operation
