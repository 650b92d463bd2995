// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/limits.h"
#include "format/input.h"
#include "format/loaded.h"

namespace ptsd::format {

// Loads a zip archive as what the names of its members say that it is. Throws Error::Unsupported
// for one that is no checkpoint, or of a kind that cannot be read, by its name.
std::unique_ptr<Loaded> load_zip(const Input& input, const Limits& limits);

}  // namespace ptsd::format
