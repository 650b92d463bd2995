// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>

#include "base/limits.h"
#include "format/loaded.h"
#include "format/zip_archive.h"

namespace ptsd::format {

// An archive of torch.export.save (torch/export/pt2_archive/_package.py); the form that torch 2.1
// to 2.6 wrote, whose members lie in no folder.
bool is_pt2(const ZipArchive& archive);
bool is_old_pt2(const ZipArchive& archive);

// Opens one as an OrderedDict of the program's weights by name. The constants lie in an attribute
// of it:
//
//   _torch_export: {"constants": {"lifted_tensor_0": tensor, ...}}
//
// An archive of several programs is a dict of such dicts by their names.
std::unique_ptr<Loaded> load_pt2(std::unique_ptr<ZipArchive> archive, const Limits& limits);

}  // namespace ptsd::format
