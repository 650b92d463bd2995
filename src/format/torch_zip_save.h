// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/read_ahead.h"
#include "container/zip_reader.h"
#include "format/checked_storages.h"
#include "format/save.h"
#include "format/torch_zip_plan.h"

// Writes a draft as torch.save would: the twin of torch_zip.
//
// Two records hang on the others. ".format_version" promises that storages lie in the order of
// their first mention, "0" first; with ".storage_alignment" it goes where that does not hold.
// ".data/serialization_id" holds a sum of CRCs, which is made anew where the input's was right.

namespace ptsd::format {

class TorchZipSave final : public Save {
 public:
  // Borrows the inputs, of which the first is that of the draft. An archive of torch.save is
  // edited, of anything else a new one is made. Throws what planning does.
  TorchZipSave(const checkpoint::Draft& draft, Inputs inputs, const SaveOptions& options);

  std::uint64_t size() const override { return size_; }
  void write(ByteSink& sink) override;
  void verify(const ByteSource& written, bool payload, const Limits& limits) const override;

 private:
  // What members are read from while a file is written.
  struct Sources {
    CheckedStorages storages;
    ReadAheads small = {};
  };

  std::uint32_t write(const PlannedMember& planned, ByteSink& data, std::uint64_t folded,
                      Sources& from) const;
  std::uint32_t checksum(Bytes bytes) const;
  void verify(const container::ZipReader& zip, const container::Member& member,
              const PlannedMember& planned, bool payload) const;

  std::vector<const Loaded*> inputs_;
  ZipPlan plan_;
  std::uint64_t size_ = 0;
};

}  // namespace ptsd::format
