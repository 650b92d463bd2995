// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "format/dcp_metadata.h"

namespace ptsd::format {

// The entries of a checkpoint whose ranks wrote their metadata apart
// (torch/distributed/checkpoint/state_dict_saver.py, use_collectives=False): chunks of a tensor
// that several have are put together.
class DcpRanks {
 public:
  // Of one rank, told in `where`. What an earlier rank has too is taken from that one. Throws
  // Error::Unsupported for a name that means another thing in two ranks.
  void add(std::vector<DcpEntry> entries, const Where& where);

  const std::vector<DcpEntry>& entries() const { return entries_; }
  // Chunks and values that were left out, since an earlier rank has them.
  std::uint64_t repeated() const { return repeated_; }

 private:
  using Offsets = std::vector<std::int64_t>;

  void merge(std::size_t at, DcpEntry entry, const Where& where);

  std::vector<DcpEntry> entries_;
  std::vector<std::set<Offsets>> offsets_;  // of the chunks, by entry
  std::map<std::string, std::size_t> by_name_;
  std::uint64_t repeated_ = 0;
};

}  // namespace ptsd::format
