// SPDX-License-Identifier: Apache-2.0
#include "command/payload.h"

namespace ptsd::command {

using checkpoint::StorageId;

operation::Payload payload_of(const format::Opened& opened) {
  const format::Loaded& loaded = opened.loaded();
  return {
      .checkpoint = opened.checkpoint(),
      .open = [&loaded](StorageId storage) { return loaded.open_storage(storage); },
      .open_unchecked = [&loaded](StorageId storage) { return loaded.open_unchecked(storage); },
      .big_endian = loaded.facts().byteorder == "big",
  };
}

operation::DiffSide side_of(const format::Opened& opened) {
  return {.payload = payload_of(opened), .root = opened.root()};
}

}  // namespace ptsd::command
