// SPDX-License-Identifier: Apache-2.0
#include "format/payload_writer.h"

#include <memory>
#include <optional>

#include "base/crc32.h"

namespace ptsd::format {

using checkpoint::Payload;
using checkpoint::Storage;

namespace {

std::uint64_t storage_size(const Loaded& input, checkpoint::StorageId id) {
  const Storage& storage = input.checkpoint().tensors()[id];
  return storage.count * storage.item_size();
}

void write_blocks(ByteSink& sink, const ByteSource& source, std::uint64_t offset,
                  std::uint64_t size, const std::function<void(Bytes)>& seen) {
  each_block(source, offset, size, [&](Bytes block) {
    if (seen) seen(block);
    sink.write(block);
  });
}

void write_whole(ByteSink& sink, const UncheckedSource& storage, std::uint64_t size,
                 const std::function<void(Bytes)>& seen) {
  std::uint32_t crc = 0;
  write_blocks(sink, *storage.source, 0, size, [&](Bytes block) {
    if (storage.check) crc = crc32(block, crc);
    if (seen) seen(block);
  });
  if (storage.check) storage.check(crc);
}

}  // namespace

std::uint64_t payload_size(const Payload& payload, Inputs inputs) {
  if (payload.derivation) return payload.derivation->size();
  return storage_size(*inputs[payload.input], payload.storage);
}

void write_payload(ByteSink& sink, const Payload& payload, std::uint64_t offset, std::uint64_t size,
                   CheckedStorages& storages, const std::function<void(Bytes)>& seen) {
  const Loaded& input = *storages.inputs()[payload.input];
  if (payload.derivation) {
    const auto derived = payload.derivation->over(storages.open(payload.input, payload.storage));
    return write_blocks(sink, *derived, offset, size, seen);
  }
  const std::optional<StoredRange> range = input.range(payload.storage);
  if (range && !range->crc && !seen) return sink.copy(*range->source, range->offset + offset, size);
  if (offset == 0 && size == storage_size(input, payload.storage)) {
    return write_whole(sink, input.open_unchecked(payload.storage), size, seen);
  }
  write_blocks(sink, *storages.open(payload.input, payload.storage), offset, size, seen);
}

}  // namespace ptsd::format
