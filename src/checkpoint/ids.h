// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

namespace ptsd::checkpoint {

enum class StorageId : std::uint32_t {};
enum class TensorId : std::uint32_t {};

// An id or none, in the size of an id: std::optional would double it, a million times.
template <class Id>
class Maybe {
 public:
  constexpr Maybe() = default;
  constexpr Maybe(Id id) : id_(id) {}  // as std::optional converts
  constexpr explicit operator bool() const { return id_ != kNone; }
  constexpr Id operator*() const { return id_; }
  friend constexpr auto operator<=>(Maybe, Maybe) = default;

 private:
  static constexpr Id kNone{0xFFFFFFFF};
  Id id_ = kNone;
};

constexpr std::size_t index(StorageId id) {
  return static_cast<std::size_t>(id);
}
constexpr std::size_t index(TensorId id) {
  return static_cast<std::size_t>(id);
}

}  // namespace ptsd::checkpoint
