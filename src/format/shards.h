// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string_view>

#include "base/limits.h"
#include "file/folder.h"
#include "format/input.h"
#include "format/loaded.h"
#include "format/shard_joiner.h"

// A state dict in several files, seen as one: a dict of the entries of all parts, in the order of
// the names of the files. It is an OrderedDict if a part is one, and has what the parts have as
// "__metadata__". FileFacts::sharding says which entry is from where.

namespace ptsd::format {

// The checkpoint that an index describes, whose parts lie beside it. Texts in the metadata of the
// index whose key names no entry and whose value names one are further names of that, as
// huggingface_hub writes for tied weights. Throws Error::Malformed for an entry that the part which
// the index names does not have, or that two parts have and the index does not name.
std::unique_ptr<Loaded> load_shard_index(const Input& input, const Limits& limits, LoadPart load);

// Whether a directory holds an index, or a set of parts, or a checkpoint of a usual name.
// Whether they are those that torch.distributed.checkpoint writes for Hugging Face, each of them a
// part of tensors: "shard-00001-model-00001-of-00002.safetensors".
bool holds_dcp_shards(const file::Folder& folder);
bool holds_shards(const file::Folder& folder);

// The checkpoint that such a directory holds: that of its index, else of the one set of parts
// "X-00001-of-0000N", else the file. Throws Error::Malformed for a set that lacks a part,
// Error::Conflict for two sets or two indexes of which none is more usual.
std::unique_ptr<Loaded> load_shard_folder(file::Folder& folder, const Limits& limits,
                                          LoadPart load);

// The checkpoint in the parts of one set, `set_name` (is_set_name()): that of the index which lies
// beside them, else of the parts alone. Throws Error::Malformed if one is missing.
std::unique_ptr<Loaded> load_shard_set(file::Folder& folder, std::string_view set_name,
                                       const Limits& limits, LoadPart load);

}  // namespace ptsd::format
