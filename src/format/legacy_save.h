// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "checkpoint/draft.h"
#include "format/checked_storages.h"
#include "format/save.h"

namespace ptsd::format {

// Writes a draft as torch.save does with _use_new_zipfile_serialization=False: the twin of legacy.
// A draft of a legacy stream that changes nothing gives the same file; one that changes something
// keeps the keys of its storages, the sources of classes, and whatever objects follow it.
class LegacySave final : public Save {
 public:
  // Borrows the inputs, of which the first is that of the draft. Throws Error::Unsupported for
  // big-endian inputs, and for storages without a dtype unless they were in a legacy stream:
  // torch.load would refuse the result.
  // `force` drops what lies behind the end of an input's pickle.
  LegacySave(const checkpoint::Draft& draft, std::span<const Loaded* const> inputs,
             bool force = false);

  std::uint64_t size() const override { return size_; }
  void write(ByteSink& sink) override { write_pieces(sink); }
  void verify(const ByteSource& written, bool payload, const Limits& limits) const override;

 private:
  // Bytes of memory, or a range of a source, or what a payload gives.
  struct Piece {
    std::uint64_t size = 0;
    std::vector<std::byte> bytes = {};
    const ByteSource* source = nullptr;
    std::uint64_t offset = 0;
    std::optional<checkpoint::Payload> payload = {};
  };

  class Planner;

  void write_piece(ByteSink& sink, const Piece& piece, CheckedStorages& storages) const;
  void write_pieces(ByteSink& sink) const;

  std::vector<const Loaded*> inputs_;
  std::vector<Piece> pieces_;
  std::uint64_t size_ = 0;
};

}  // namespace ptsd::format
