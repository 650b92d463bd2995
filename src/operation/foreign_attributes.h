// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/draft.h"

namespace ptsd::operation {

// Attributes that readers of other containers give the root for what is no entry of it: the texts
// of a safetensors header, what an archive of TorchScript or torch.export has besides tensors.
inline constexpr auto kForeignAttributes =
    std::to_array<std::string_view>({"__metadata__", "_torchscript", "_torch_export"});

// Takes them from the root, for a file that torch.load reads. Returns the names of those that
// said something.
std::vector<std::string> drop_foreign_attributes(checkpoint::Draft& draft);

}  // namespace ptsd::operation
