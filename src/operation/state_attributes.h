// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <unordered_set>

#include "operation/diff_entries.h"

namespace ptsd::operation {

// What a state dict has besides its entries: `_metadata`, the versions of modules, and what other
// containers than torch.save's hold. Tools drop it, and most containers have no place for it: where
// only one of two checkpoints has such an attribute, they are no different for that.
class StateAttributes {
 public:
  // Borrows the entries.
  explicit StateAttributes(const DiffEntries& entries);

  // Whether the path is that of such an attribute, or lies below one, that is not among these.
  bool lacks(std::string_view path) const;

 private:
  std::unordered_set<std::string_view> paths_;
};

}  // namespace ptsd::operation
