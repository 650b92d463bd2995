// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "base/byte_sink.h"
#include "checkpoint/draft.h"
#include "format/checked_storages.h"

namespace ptsd::format {

// The bytes that a payload gives.
std::uint64_t payload_size(const checkpoint::Payload& payload, Inputs inputs);

// Writes the bytes [offset, offset + size) of what a payload gives. Where its file has a CRC, it is
// checked on the way; where it has none, bytes that need no change go through the kernel. `seen`,
// if it is set, gets every block that is written. Throws Error::Malformed for a CRC that is wrong.
void write_payload(ByteSink& sink, const checkpoint::Payload& payload, std::uint64_t offset,
                   std::uint64_t size, CheckedStorages& storages,
                   const std::function<void(Bytes)>& seen = {});

}  // namespace ptsd::format
