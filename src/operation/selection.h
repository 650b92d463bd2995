// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "checkpoint/listing.h"
#include "operation/pattern.h"
#include "tensor/dtype.h"

// Which entries of a listing a command works on.

namespace ptsd::operation {

// What the user asked for. A name is selected if it matches one of `include` or is one of
// `names` (or neither was given), matches none of `exclude`, and its tensor has one of the dtypes
// and the shape.
struct SelectionRules {
  std::vector<Pattern> include = {};
  std::vector<Pattern> exclude = {};
  std::vector<std::string> names = {};
  std::vector<tensor::DType> dtypes = {};
  std::optional<std::vector<std::optional<std::int64_t>>> shape = {};  // nothing: any size
  bool allow_unmatched = false;

  bool empty() const {
    return include.empty() && exclude.empty() && names.empty() && dtypes.empty() && !shape;
  }
};

// "*,512" as sizes. Throws Error::Usage.
std::vector<std::optional<std::int64_t>> parse_shape(std::string_view text);

class Selection {
 public:
  explicit Selection(SelectionRules rules);

  bool selects(const checkpoint::Checkpoint& checkpoint, const checkpoint::Entry& entry);

  // Throws Error::Usage for a rule that selected nothing of all that was asked about, naming the
  // rule and the nearest of the names, which are asked for only then; not with allow_unmatched.
  using NamesOf = std::function<std::vector<std::string_view>()>;
  void require_matches(const NamesOf& names_of) const;

 private:
  bool selects_name(std::string_view name);
  bool selects_tensor(const checkpoint::Tensors& tensors, const checkpoint::Tensor& tensor);

  SelectionRules rules_;
  std::unordered_map<std::string_view, bool> names_;  // whether it was met
  std::vector<bool> include_met_;
  std::vector<bool> exclude_met_;
  std::vector<bool> dtype_met_;
  bool shape_met_ = false;
};

}  // namespace ptsd::operation
