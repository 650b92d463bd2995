// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/flat.h"
#include "checkpoint/state_dict.h"

namespace ptsd::operation {

struct FlattenOptions {
  bool drop_other = false;    // leave out what is no tensor of the state dict
  bool clone_shared = false;  // tensors that are one get elements of their own each
  bool keep_first = false;    // of several names the one that stands first is the kept one
  bool big_endian = false;    // the storages of the checkpoint
};

struct Flattened {
  checkpoint::FlatCheckpoint flat;
  std::vector<std::string> dropped = {};  // paths of what was left out
  std::uint64_t aliases = 0;
};

// A state dict as a format without pickles holds it: its tensors, row by row. Names of one and the
// same view of a storage are kept once, under the first of them in byte order, which is the whole
// if any is, or that which stands first; the others go to the metadata as `alias: kept name`, as
// Hugging Face writes them. The metadata that the checkpoint has from such a format stay;
// `metadata` go over them, and "format" is "pt".
//
// Payloads are of input 0, which is the checkpoint. Throws Error::Conflict for values that are no
// tensors, or lie outside the state dict, unless they are to be dropped, and for a name that the
// metadata have a text of; Error::Unsupported for
// tensors that are more than elements (sparse, quantised, nested) or have none (meta), and for
// names that are no UTF-8; Error::Limit for a view that repeats its elements beyond
// Limits::view_bytes.
Flattened flatten(const checkpoint::Checkpoint& checkpoint, pickle::NodeId root,
                  const checkpoint::StateDict& state_dict, const FlattenOptions& options,
                  const std::vector<std::pair<std::string, std::string>>& metadata);

}  // namespace ptsd::operation
