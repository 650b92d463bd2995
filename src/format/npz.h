// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/limits.h"
#include "format/input.h"
#include "format/loaded.h"

namespace ptsd::format {

// Opens a .npy file of numpy: one tensor. Both borrow the source, and read no elements. Both
// throw what read_npy_header() does.
std::unique_ptr<Loaded> load_npy(const Input& input, const Limits& limits);

// Opens a .npz file: a zip archive of .npy files, as a dict of tensors by their names without
// ".npy". Other members are left out, with a warning.
std::unique_ptr<Loaded> load_npz(const Input& input, const Limits& limits);

}  // namespace ptsd::format
