// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ptsd::format {

// A storage that is a part of another, as torch had them before 0.4. A checkpoint has it as a
// storage of its own, as torch.load makes one of it and torch.save writes it.
struct StorageView {
  std::string_view key;
  std::string_view root;     // the key of the other
  std::uint64_t offset = 0;  // elements
  std::uint64_t count = 0;   // elements
};

// What to warn of where views have bytes in common, or one has some of a root that is in use: a
// change of one shows in the other, until they are written anew.
std::optional<std::string> shared_bytes(std::vector<StorageView> views,
                                        const std::function<bool(std::string_view)>& is_used);

}  // namespace ptsd::format
