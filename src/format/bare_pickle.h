// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/limits.h"
#include "format/input.h"
#include "format/loaded.h"

namespace ptsd::format {

// Opens what pickle.dump wrote, of anything. Tensors in it are calls of
// torch.storage._load_from_bytes, on a file of torch.save for each storage; arrays of numpy become
// tensors. An array of a dtype that torch lacks stays a value, which a warning names. Borrows the
// source, and reads all of it.
std::unique_ptr<Loaded> load_bare_pickle(const Input& input, const Limits& limits);

// Whether a source is one pickle, from its first byte to its last: protocols 0 and 1 begin with no
// mark of their own.
bool is_bare_pickle(const ByteSource& source, const Limits& limits);

}  // namespace ptsd::format
