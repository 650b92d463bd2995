// SPDX-License-Identifier: Apache-2.0
#include "command/payloads.h"

namespace ptsd::command {

using checkpoint::StorageId;

operation::Payloads payloads_of(const format::Opened& opened) {
  const format::Loaded& loaded = opened.loaded();
  return {.checkpoint = opened.checkpoint(),
          .open = [&loaded](StorageId storage) { return loaded.open_unchecked(storage); },
          .big_endian = loaded.facts().byteorder == "big"};
}

operation::DiffSide side_of(const format::Opened& opened) {
  const format::Loaded& loaded = opened.loaded();
  return {.payloads = payloads_of(opened),
          .root = opened.root(),
          .open_checked = [&loaded](StorageId storage) { return loaded.open_storage(storage); }};
}

}  // namespace ptsd::command
