// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/draft.h"

namespace ptsd::operation {

// Attributes that readers of other containers give the root for what is no entry of it: the texts
// of a safetensors header, what an archive of TorchScript or torch.export has besides tensors.
inline constexpr auto kForeignAttributes =
    std::to_array<std::string_view>({"_torchscript", "_torch_export", "__metadata__"});
// Those of archives with code.
inline constexpr std::span<const std::string_view> kProgramAttributes =
    std::span(kForeignAttributes).first(2);

struct ForeignAttributes {
  std::vector<std::string> names = {};    // of those that said something
  std::vector<std::string> tensors = {};  // paths of tensors in them
};

// Takes those of these names from the root, for a file that has no place for them.
ForeignAttributes drop_foreign_attributes(checkpoint::Draft& draft,
                                          std::span<const std::string_view> names);

}  // namespace ptsd::operation
