// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "checkpoint/draft.h"
#include "operation/pattern.h"

namespace ptsd::operation {

struct Dropped {
  std::vector<std::string> paths;
};

// Removes every entry below the draft's root whose path matches a pattern: from a dict, a list, or
// the attributes of an object. Throws Error::Usage for a pattern that matches
// nothing unless `allow_unmatched`, and for what cannot be removed alone, such as an item of a
// tuple.
Dropped drop(checkpoint::Draft& draft, const std::vector<Pattern>& patterns, bool allow_unmatched);

}  // namespace ptsd::operation
