// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/limits.h"
#include "format/input.h"
#include "format/loaded.h"

namespace ptsd::format {

// Opens an archive of torch.save (torch 1.6 and later): <root>/data.pkl and a record
// <root>/data/<key> for each storage. Borrows the source. Reads the directory and the pickle, and
// no storage. An archive of another kind (TorchScript, torch.package, .pt2) throws
// Error::Unsupported by its name.
std::unique_ptr<Loaded> load_torch_zip(const Input& input, const Limits& limits);

}  // namespace ptsd::format
