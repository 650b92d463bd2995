// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "checkpoint/ids.h"

namespace ptsd::checkpoint {

// Storages by key. Keys are opaque strings, but torch numbers them from "0": those take four
// bytes each, any other goes to a map. Borrows the keys.
class StorageKeys {
 public:
  std::optional<StorageId> find(std::string_view key) const;
  void add(std::string_view key, StorageId id);

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  // The number that the key spells.
  std::optional<std::size_t> slot_of(std::string_view key) const;

  std::vector<std::uint32_t> numbered_;
  std::size_t count_ = 0;
  std::unordered_map<std::string_view, StorageId> others_;
};

}  // namespace ptsd::checkpoint
