// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "format/object_paths.h"
#include "format/tiling.h"
#include "tensor/dtype.h"

// What .metadata of torch.distributed.checkpoint says (torch/distributed/checkpoint/metadata.py,
// filesystem.py): a pickled Metadata, whose dicts tell the names, the chunks of every tensor, and
// in which range of which file each lies.

namespace ptsd::format {

// Of files in the directory, as they stand there: each once, since thousands of items name one.
using FileNames = std::set<std::string, std::less<>>;

// A range of a file.
struct DcpItem {
  std::string_view path = {};  // one of FileNames
  std::uint64_t offset = 0;
  std::uint64_t length = 0;  // bytes
};

struct DcpEntry {
  std::string name = {};  // "optim.state.0.step"
  ObjectPath path = {};   // where it lies in the dict that was saved
  bool is_tensor = false;
  tensor::DType dtype = {};  // of a tensor
  std::vector<std::int64_t> shape = {};
  std::vector<Tile> chunks = {};    // of a tensor, without those that are empty
  std::vector<DcpItem> items = {};  // one for each chunk, or one for a value
};

// The entries in their order, which borrow `files`, where the names of theirs are put. Chunks need
// not tile a tensor: those of other ranks can be elsewhere. Throws Error::Malformed for what is no
// such Metadata, or lacks an item; Error::Unsupported for items that were transformed.
std::vector<DcpEntry> read_dcp_metadata(const checkpoint::Checkpoint& metadata, FileNames& files);

}  // namespace ptsd::format
