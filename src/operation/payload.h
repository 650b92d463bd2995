// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <memory>

#include "base/byte_source.h"
#include "checkpoint/checkpoint.h"

namespace ptsd::operation {

// How the bytes of a checkpoint's storages are had, for operations that look into tensors.
struct Payload {
  const checkpoint::Checkpoint& checkpoint;
  // After a check of the CRC.
  std::function<std::unique_ptr<ByteSource>(checkpoint::StorageId)> open;
  // With that check still to do.
  std::function<UncheckedSource(checkpoint::StorageId)> open_unchecked = {};
  bool big_endian = false;
};

}  // namespace ptsd::operation
