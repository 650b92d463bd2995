// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/storage_keys.h"

#include <charconv>

namespace ptsd::checkpoint {
std::optional<std::size_t> StorageKeys::slot_of(std::string_view key) const {
  if (key.empty() || key.size() > 9 || (key.front() == '0' && key.size() > 1)) return std::nullopt;
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), number);
  if (error != std::errc() || end != key.data() + key.size()) return std::nullopt;
  return number;
}

std::optional<StorageId> StorageKeys::find(std::string_view key) const {
  const std::optional<std::size_t> slot = slot_of(key);
  if (slot && *slot < numbered_.size() && numbered_[*slot] != kNone) {
    return StorageId{numbered_[*slot]};
  }
  const auto found = others_.find(key);
  if (found == others_.end()) return std::nullopt;
  return found->second;
}

void StorageKeys::add(std::string_view key, StorageId id) {
  const std::optional<std::size_t> slot = slot_of(key);
  ++count_;
  // A few wild numbers must not make the array large.
  if (!slot || *slot >= 2 * count_ + 1024) {
    others_.emplace(key, id);
    return;
  }
  if (*slot >= numbered_.size()) numbered_.resize(*slot + 1, kNone);
  numbered_[*slot] = static_cast<std::uint32_t>(id);
}

}  // namespace ptsd::checkpoint
