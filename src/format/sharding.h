// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pickle/graph.h"

namespace ptsd::format {

// How the text of an index is laid out; as it stands here, huggingface_hub writes it.
struct IndexStyle {
  bool sorted = false;         // the keys, as transformers writes them
  bool final_newline = false;  // the same
};

// How the entries of a state dict are spread over several files.
struct Sharding {
  struct Part {
    std::string file;                                                // in the folder of the index
    std::string_view format;                                         // "safetensors", "torch-zip"
    std::vector<std::pair<std::string, std::string>> metadata = {};  // of a safetensors file
  };

  std::string index = {};  // the file that says it; empty: there is none
  IndexStyle style = {};
  std::vector<Part> parts = {};                                    // at least one
  std::map<std::string, std::size_t, std::less<>> part_of = {};    // by name, the number in parts
  std::map<pickle::NodeId, std::size_t> part_of_value = {};        // the same by value
  std::vector<std::pair<std::string, std::string>> metadata = {};  // of the index: key, JSON text
};

}  // namespace ptsd::format
