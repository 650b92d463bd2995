// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/limits.h"
#include "format/loaded.h"
#include "format/zip_archive.h"

namespace ptsd::format {

// Whether it is an archive of torch.jit.save, also of one for the lite interpreter.
bool is_torchscript(const ZipArchive& archive);

// Opens an archive of torch.jit.save as an OrderedDict of the module's tensors by name: those of
// torch.jit.load(f).state_dict() in its order, with their requires_grad. What else there is,
// tensors too, lies in an attribute of the dict:
//
//   _torchscript: {"attributes": {"sub.k": 3, ...}, "constants": [tensor, ...]}
//
// No code is run.
std::unique_ptr<Loaded> load_torchscript(std::unique_ptr<ZipArchive> archive, const Limits& limits);

}  // namespace ptsd::format
