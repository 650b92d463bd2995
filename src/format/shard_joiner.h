// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "checkpoint/mapping.h"
#include "file/folder.h"
#include "format/assembly.h"
#include "format/input.h"
#include "format/shard_index.h"
#include "format/sharding.h"

namespace ptsd::format {

// Loads one part, by its content.
using LoadPart = std::unique_ptr<Loaded> (*)(const Input& input, const Limits& limits);

// Puts the entries of several files together to one dict, and checks them against the index.
class ShardJoiner {
 public:
  // `origin` names the checkpoint. Borrows the folder and the limits; `index` may be null.
  ShardJoiner(file::Folder& folder, Where origin, const ShardIndex* index, const Limits& limits)
      : folder_(folder),
        origin_(std::move(origin)),
        limits_(limits),
        assembly_(origin_, {.format = "shards", .has_pickle = false}) {
    if (index == nullptr) return;
    weight_map_.emplace(index->weight_map.begin(), index->weight_map.end());
    sharding_.metadata = index->metadata;
    sharding_.style = index->style;
  }

  // The next part: a file of the folder.
  void add(const std::string& file, LoadPart load);
  // `index` is the file name of the index; empty: there is none.
  std::unique_ptr<Loaded> finish(std::string index, std::uint64_t index_size);

 private:
  // How many entries, and the first of them: one warning for all.
  struct Named {
    std::uint64_t count = 0;
    std::string first = {};

    void add(std::string_view name) {
      if (count++ == 0) first = name;
    }
  };
  struct Entry {
    std::size_t part;
    std::size_t item;  // of its value in items_
  };

  // As in Python's dict: a key that stands again keeps its place, and gets the last value.
  std::vector<checkpoint::Pair> distinct(const checkpoint::Checkpoint& part,
                                         const std::vector<checkpoint::Pair>& pairs,
                                         std::string_view file);
  // The entries of a part that count.
  std::vector<checkpoint::Pair> choose(const checkpoint::Checkpoint& part, std::string_view file);
  bool counts(const checkpoint::Checkpoint& part, const checkpoint::Pair& pair,
              std::string_view file, Named& elsewhere, Named& unnamed);
  void take(const checkpoint::Checkpoint& part, const std::vector<checkpoint::Pair>& pairs);
  void note_metadata(const checkpoint::Checkpoint& part, std::string_view file);
  void note_attributes(const checkpoint::Checkpoint& part, std::string_view file);
  void merge(const std::string& key, const std::string& value, std::string_view file);
  void check_all_found() const;
  void add_index_metadata();
  pickle::NodeId root();
  void check_total_size(Loaded& loaded) const;
  void warn(std::string_view file, std::string message);
  [[noreturn]] void fail_twice(std::string_view name, std::string_view file,
                               std::size_t before) const;
  [[noreturn]] void fail(Error::Kind kind, std::string message) const {
    throw Error(kind, origin_, std::move(message));
  }

  file::Folder& folder_;
  Where origin_;
  const Limits& limits_;
  Assembly assembly_;
  std::optional<std::map<std::string, std::string, std::less<>>> weight_map_;
  Sharding sharding_;
  std::map<std::string, Entry, std::less<>> entries_;
  std::vector<pickle::NodeId> items_;  // key, value, key, value, ...
  std::map<std::string, std::string, std::less<>> merged_;
  std::set<std::string> differing_;  // keys of metadata that a warning was about
  std::vector<std::pair<std::string, std::string>>
      metadata_;  // merged, in the order of their first mention
  std::uint64_t bytes_ = 0;
  bool has_checksums_ = true;
  bool is_ordered_ = false;
};

}  // namespace ptsd::format
