// SPDX-License-Identifier: Apache-2.0
#include "format/shards.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "format/shard_folder.h"
#include "format/shard_index.h"

namespace ptsd::format {

namespace {

// Of parts of the same sets that an index says nothing of.
void warn_of_unnamed(Loaded& loaded, const file::Folder& folder,
                     const std::set<std::string>& named) {
  std::set<std::string> sets;
  for (const std::string& file : named) {
    if (const auto part = split_part_name(file)) sets.insert(part->set_name());
  }
  std::vector<std::string> unnamed;
  for (const std::string& file : folder.names()) {
    const auto part = split_part_name(file);
    if (part && sets.contains(part->set_name()) && !named.contains(file)) unnamed.push_back(file);
  }
  if (unnamed.empty()) return;
  loaded.checkpoint().warn(
      {.where = {.file = folder.path()},
       .message = "not read, as the index does not name them: " + quote_some(unnamed)});
}

std::unique_ptr<Loaded> load_index(file::Folder& folder, const ByteSource& source, std::string name,
                                   const Limits& limits, LoadPart load) {
  const ShardIndex index = read_shard_index(source, limits);
  std::set<std::string> files;
  for (const auto& [entry, file] : index.weight_map) {
    files.insert(file);
  }
  ShardJoiner joiner(folder, {.file = source.name()}, &index, limits);
  for (const std::string& file : files) {
    joiner.add(file, load);
  }
  std::unique_ptr<Loaded> loaded = joiner.finish(std::move(name), source.size());
  warn_of_unnamed(*loaded, folder, files);
  return loaded;
}

[[noreturn]] void fail_incomplete(const Where& where, const FolderContents::Set& set) {
  if (set.files.empty()) throw Error(Error::Kind::Io, where, "there are no such parts");
  throw Error(Error::Kind::Malformed, where,
              fmt::format("{} is missing, of the parts that {} is one of", quote(set.missing),
                          quote(set.files.front())));
}

// `origin` is what the user named.
std::unique_ptr<Loaded> load_parts(file::Folder& folder, const FolderContents::Set& set,
                                   std::string origin, const Limits& limits, LoadPart load) {
  Where where = {.file = std::move(origin)};
  if (!set.missing.empty()) fail_incomplete(where, set);
  ShardJoiner joiner(folder, std::move(where), nullptr, limits);
  for (const std::string& file : set.files) {
    joiner.add(file, load);
  }
  return joiner.finish("", 0);
}

// The first of them, which has to be one that libraries look for if there are more.
const std::string& first_of(const file::Folder& folder, const std::vector<std::string>& indexes) {
  const bool is_usual = indexes.front() == "model.safetensors.index.json" ||
                        indexes.front() == "pytorch_model.bin.index.json";
  if (indexes.size() > 1 && !is_usual) {
    folder.fail(Error::Kind::Conflict,
                fmt::format("a directory with several indexes, {} and {}: name one",
                            quote(indexes[0]), quote(indexes[1])));
  }
  return indexes.front();
}

// Of checkpoints in the same directory that are not read.
void warn_of_others(Loaded& loaded, const file::Folder& folder, const std::string& read,
                    const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (name == read) continue;
    loaded.checkpoint().warn(
        {.where = {.file = folder.path()},
         .message = fmt::format("{} is read, and {} is not", quote(read), quote(name))});
  }
}

}  // namespace

std::unique_ptr<Loaded> load_shard_index(const Input& input, const Limits& limits, LoadPart load) {
  if (input.folder == nullptr) {
    input.source.fail(Error::Kind::Unsupported,
                      "the index of a sharded checkpoint where its parts cannot be reached");
  }
  const std::string& path = input.source.name();
  return load_index(*input.folder, input.source, path.substr(path.rfind('/') + 1), limits, load);
}

bool holds_dcp_shards(const file::Folder& folder) {
  const FolderContents found = find_shards(folder.names());
  return found.indexes.empty() && found.singles.empty() && !found.sets.empty() &&
         std::ranges::all_of(found.sets, [](const FolderContents::Set& set) {
           return set.files.front().starts_with("shard-");
         });
}

bool holds_shards(const file::Folder& folder) {
  const FolderContents found = find_shards(folder.names());
  return !found.indexes.empty() || !found.sets.empty() || !found.singles.empty();
}

std::unique_ptr<Loaded> load_shard_folder(file::Folder& folder, const Limits& limits,
                                          LoadPart load) {
  const FolderContents found = find_shards(folder.names());
  std::vector<std::string> others = found.indexes;
  others.insert(others.end(), found.singles.begin(), found.singles.end());
  std::unique_ptr<Loaded> loaded;
  std::string name;
  if (!found.indexes.empty()) {
    name = first_of(folder, found.indexes);
    loaded = load_index(folder, folder.open(name), name, limits, load);
  } else if (found.sets.size() > 1) {
    folder.fail(Error::Kind::Conflict,
                fmt::format("a directory with several sets of parts, of {} and of {}",
                            quote(found.sets[0].files[0]), quote(found.sets[1].files[0])));
  } else if (!found.sets.empty()) {
    name = found.sets[0].files[0];
    loaded = load_parts(folder, found.sets[0], folder.path(), limits, load);
  } else {
    name = found.singles[0];
    loaded = load(Input{.source = folder.open(name)}, limits);
  }
  warn_of_others(*loaded, folder, name, others);
  return loaded;
}

std::unique_ptr<Loaded> load_shard_set(file::Folder& folder, std::string_view set_name,
                                       const Limits& limits, LoadPart load) {
  const std::string index = index_of_set(set_name);
  const FolderContents::Set set = find_set(folder.names(), set_name);
  if (folder.has(index) && !set.files.empty()) {
    return load_index(folder, folder.open(index), index, limits, load);
  }
  const std::string origin = (std::filesystem::path(folder.path()) / set_name).string();
  return load_parts(folder, set, origin, limits, load);
}

}  // namespace ptsd::format
