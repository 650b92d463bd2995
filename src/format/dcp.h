// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "base/limits.h"
#include "file/folder.h"
#include "format/loaded.h"

namespace ptsd::format {

// Whether a directory is one that torch.distributed.checkpoint wrote, or began to write.
bool is_dcp(const file::Folder& folder);

// Whether a file of such a directory is one that shows the checkpoint only with the others.
bool is_part_of_dcp(const file::Folder& folder, std::string_view name);

// Opens a directory of torch.distributed.checkpoint as the dict that was saved
// (torch/distributed/checkpoint/format_utils.py, dcp_to_torch_save). Borrows the folder. Reads
// .metadata (or that of each rank, "__0.metadata", where they were written apart) and the values
// that are no tensors; chunks of tensors are opened as their elements are asked for. Throws
// Error::Unsupported for a directory without .metadata, and for items that were transformed
// (compressed).
std::unique_ptr<Loaded> load_dcp(file::Folder& folder, const Limits& limits);

}  // namespace ptsd::format
