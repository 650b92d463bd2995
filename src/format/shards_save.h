// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint.h"
#include "checkpoint/flat.h"
#include "format/payload_writer.h"
#include "format/save.h"
#include "format/shard_plan.h"

namespace ptsd::format {

// Files that are written together, all or none.
struct PlannedFiles {
  struct File {
    std::string name;  // in the folder of the index
    std::unique_ptr<Save> save;
  };

  std::vector<File> files;  // the index, if there is one, last
};

// As huggingface_hub's save_torch_state_dict writes safetensors files: the parts have "format" of
// the metadata, or what `before` says they had, and those that are `given`; the index has the rest.
// A plan of one part is one file with all of them, and no index. Borrows the inputs. Throws what
// SafetensorsSave does.
PlannedFiles plan_safetensors_shards(
    checkpoint::FlatCheckpoint flat, Inputs inputs, const ShardPlan& plan, const std::string& index,
    const Sharding* before = nullptr, const IndexStyle& style = {},
    const std::vector<std::pair<std::string, std::string>>& given = {});

// As huggingface_hub's save_torch_state_dict writes them with torch.save: a dict for every part,
// and an index, which keeps what `before` says of it. The plan is for the items of `dict` in
// `settled`, which the files borrow; it is no archive of its own (settle.h). Attributes of the dict
// do not go with it. A plan of one part has no index.
PlannedFiles plan_torch_shards(Loaded& settled, pickle::NodeId dict, const ShardPlan& plan,
                               const std::string& index, const Sharding* before = nullptr,
                               const IndexStyle& style = {});

}  // namespace ptsd::format
