// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "checkpoint/draft.h"
#include "checkpoint/state_dict.h"
#include "operation/pattern.h"
#include "tensor/convert.h"

namespace ptsd::operation {

// "DTYPE" for every floating tensor, or "GLOB=>DTYPE" for those of a name. The last rule that
// matches a name counts.
struct CastRule {
  std::optional<Pattern> names;
  tensor::DType dtype;
};

struct CastOptions {
  // What becomes of finite values that the new dtype cannot hold. Refuse throws Error::Conflict
  // when the bytes are made.
  enum class Overflow { Refuse, Saturate, Allow };

  std::vector<CastRule> rules;
  Overflow overflow = Overflow::Refuse;
  bool allow_unmatched = false;
};

struct Casted {
  std::uint64_t tensors = 0;  // entries of the state dicts
  std::uint64_t storages = 0;
};

// Casts tensors of the state dicts, as torch's .to() does. All tensors of one storage must be cast
// together: throws Error::Conflict naming one that is not. Integers and booleans are left alone;
// one that a rule names without a wildcard is Error::Unsupported.
Casted cast(checkpoint::Draft& draft, const std::vector<checkpoint::StateDict>& state_dicts,
            const CastOptions& options);

}  // namespace ptsd::operation
