// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <span>

#include "tensor/dtype.h"

namespace ptsd::tensor {

// How the bytes of a storage differ from the values that a tensor shows.
struct StoredForm {
  bool swapped = false;  // the other byte order
  bool conj = false;     // the conjugates are stored (complex dtypes only)
  bool neg = false;      // the negatives are stored

  bool is_plain() const { return !swapped && !conj && !neg; }
};

// Makes whole elements what they stand for, in the byte order of this machine.
void to_values(DType dtype, const StoredForm& form, std::span<std::byte> elements);

}  // namespace ptsd::tensor
