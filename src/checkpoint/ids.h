// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace ptsd::checkpoint {

enum class StorageId : std::uint32_t {};
enum class TensorId : std::uint32_t {};

constexpr std::size_t index(StorageId id) {
  return static_cast<std::size_t>(id);
}
constexpr std::size_t index(TensorId id) {
  return static_cast<std::size_t>(id);
}

}  // namespace ptsd::checkpoint
