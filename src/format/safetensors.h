// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/limits.h"
#include "format/input.h"
#include "format/loaded.h"

namespace ptsd::format {

// Loads a safetensors file: a dict of its tensors in the order of their bytes, as
// safetensors.torch.load_file gives it. With "__metadata__" it is an OrderedDict that has the
// metadata as an attribute of that name. A name there that has the name of a tensor as its value
// is an alias, as safetensors.torch.save_model writes for tied weights: it becomes another entry
// with the same storage, behind the others.
//
// Throws what read_safetensors_header() does, and Error::Unsupported naming the tensor for a dtype
// that torch lacks.
std::unique_ptr<Loaded> load_safetensors(const Input& input, const Limits& limits);

}  // namespace ptsd::format
