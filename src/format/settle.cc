// SPDX-License-Identifier: Apache-2.0
#include "format/settle.h"

#include <atomic>
#include <optional>
#include <utility>

#include "format/assembly.h"
#include "format/repack.h"

namespace ptsd::format {

using checkpoint::Payload;

namespace {

class PayloadBytes final : public StorageBytes {
 public:
  PayloadBytes(Payload payload, Inputs inputs)
      : payload_(std::move(payload)),
        input_(*inputs[payload_.input]),
        size_(payload_size(payload_, inputs)) {}

  std::uint64_t size() const override { return size_; }
  std::optional<StoredRange> range() const override {
    if (payload_.derivation) return std::nullopt;
    return input_.range(payload_.storage);
  }
  std::unique_ptr<ByteSource> open() const override {
    auto storage = input_.open_storage(payload_.storage);
    is_checked_ = true;
    return payload_.derivation ? payload_.derivation->over(std::move(storage)) : std::move(storage);
  }
  // What is derived has no CRC of its own: that of its storage is checked once.
  UncheckedSource open_unchecked() const override {
    if (!payload_.derivation) return input_.open_unchecked(payload_.storage);
    if (!is_checked_) return {.source = open()};
    return {.source = payload_.derivation->over(input_.open_unchecked(payload_.storage).source)};
  }

 private:
  Payload payload_;
  const Loaded& input_;
  std::uint64_t size_;
  mutable std::atomic<bool> is_checked_ = false;
};

}  // namespace

std::unique_ptr<Loaded> settle(const checkpoint::Draft& draft, Inputs inputs,
                               const Limits& limits) {
  Repacked repacked = repack(draft);
  FileFacts facts;
  facts.format = inputs[0]->facts().format;
  facts.byteorder = inputs[0]->facts().byteorder;
  const pickle::NodeId root = repacked.pickle->root;
  Assembly assembly({.file = draft.base.origin().file}, std::move(facts),
                    std::move(repacked.pickle));
  for (Payload& payload : repacked.storages) {
    assembly.bind(std::make_unique<PayloadBytes>(std::move(payload), inputs));
  }
  return assembly.finish(root, limits);
}

}  // namespace ptsd::format
