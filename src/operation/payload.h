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
  std::function<std::unique_ptr<ByteSource>(checkpoint::StorageId)> open;
  bool big_endian = false;
};

}  // namespace ptsd::operation
