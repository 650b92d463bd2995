// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ptsd::format {

// What a directory holds, told by the names of its files:
//
//   model.safetensors.index.json, pytorch_model.bin.index.fp16.json    an index
//   model-00001-of-00003.safetensors                                   a part of a set
//   model.safetensors, pytorch_model.bin                               a checkpoint
struct FolderContents {
  // Parts that belong together, by number.
  struct Set {
    std::vector<std::string> files;
    std::string missing;  // the first that is not there; empty: none
  };

  std::vector<std::string> indexes;  // those that libraries look for first stand first
  std::vector<Set> sets;
  std::vector<std::string> singles;  // as indexes
};

FolderContents find_shards(std::span<const std::string> names);

// "model-*-of-00003.safetensors", as a shell would have it: all parts of one set.
bool is_set_name(std::string_view file);

// "model.safetensors.index.json", the index of that set.
std::string index_of_set(std::string_view set_name);

// The parts of that set which are among `names`.
FolderContents::Set find_set(std::span<const std::string> names, std::string_view set_name);

// A file name of a set: stem + "-00001-of-00003" + extension.
struct PartName {
  std::string_view stem;
  std::string_view number;
  std::string_view count;
  std::string_view extension;

  // That of the set it belongs to.
  std::string set_name() const;
};

// Nothing for a name of another form, and for an extension that is not one of a checkpoint.
std::optional<PartName> split_part_name(std::string_view file);

}  // namespace ptsd::format
