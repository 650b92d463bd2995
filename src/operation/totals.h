// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "checkpoint/listing.h"
#include "tensor/dtype.h"

// Sums over tensors of a checkpoint.

namespace ptsd::operation {

struct DTypeTotals {
  std::uint64_t tensors = 0;
  std::uint64_t parameters = 0;  // elements
  std::uint64_t bytes = 0;       // of the logical tensors
};

struct Totals {
  DTypeTotals all;
  std::array<DTypeTotals, tensor::kDTypes.size()> by_dtype = {};
  std::uint64_t storage_bytes = 0;  // each storage once
  std::uint64_t unused_bytes = 0;  // of these storages, in the reach of no tensor of the checkpoint
};

class Totalizer {
 public:
  explicit Totalizer(const checkpoint::Checkpoint& checkpoint);

  void add(const checkpoint::Entry& entry);
  // Sums up what was added.
  Totals finish();

 private:
  void add_storages(checkpoint::TensorId id);
  std::uint64_t unused_bytes() const;

  const checkpoint::Checkpoint& checkpoint_;
  Totals totals_;
  std::vector<bool> counted_;  // by storage
};

// Entries that share a storage, as sorted pairs (storage, entry number) in entry order. Inner
// tensors of sparse and quantised ones count for their entry.
class Sharing {
 public:
  Sharing(const checkpoint::Checkpoint& checkpoint, const checkpoint::Listing& listing);

  // The numbers of the entries that use this storage.
  std::span<const std::uint32_t> users(checkpoint::StorageId storage) const;

 private:
  std::vector<std::uint32_t> begins_;  // by storage; one more at the end
  std::vector<std::uint32_t> users_;
};

// Groups of entries that are the same view of the same storage (tied weights), in entry order.
std::vector<std::vector<std::uint32_t>> tied_groups(const checkpoint::Checkpoint& checkpoint,
                                                    const checkpoint::Listing& listing,
                                                    const Sharing& sharing);

}  // namespace ptsd::operation
