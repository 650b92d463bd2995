// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "checkpoint/ids.h"
#include "pickle/graph.h"
#include "tensor/dtype.h"

namespace ptsd::checkpoint {

// The items of a persistent id that names a storage, as torch.save writes it
// (torch/serialization.py, persistent_id). In a legacy stream None follows, in the place of what
// once told of a part of another storage.
enum class StorageItem : std::uint8_t { Type, Class, Key, Location, Count };
inline constexpr std::size_t kStorageItems = 5;

constexpr std::size_t index(StorageItem item) {
  return static_cast<std::size_t>(item);
}

// A storage as a persistent id declares it (format: ('storage', class, key, location, numel)).
// What it holds lies in the record that the format binds it to.
struct Storage {
  pickle::NodeId id;         // the first persistent id that names it
  pickle::NodeId key;        // text
  pickle::NodeId location;   // text: "cpu", "cuda:0"
  tensor::DType dtype;       // meaningless if untyped
  bool untyped = false;      // UntypedStorage: the count is in bytes
  std::uint32_t record = 0;  // number of the record that holds the bytes, as the format counts
  std::uint64_t count = 0;   // elements

  // Bytes of one element.
  std::uint64_t item_size() const { return untyped ? 1 : tensor::info(dtype).item_size; }
};

}  // namespace ptsd::checkpoint
