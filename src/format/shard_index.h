// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/byte_source.h"
#include "base/limits.h"
#include "format/sharding.h"

namespace ptsd::format {

// The index of a sharded checkpoint, as transformers and huggingface_hub write it:
//
//   {"metadata": {"total_size": 96}, "weight_map": {"name": "model-00001-of-00002.bin", ...}}
struct ShardIndex {
  std::vector<std::pair<std::string, std::string>> metadata;    // key, the value as JSON text
  std::vector<std::pair<std::string, std::string>> weight_map;  // name, file; no name twice
  IndexStyle style;
};

// Throws Error::Malformed with the offset for what is none.
ShardIndex read_shard_index(const ByteSource& source, const Limits& limits);

}  // namespace ptsd::format
