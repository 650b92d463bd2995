// SPDX-License-Identifier: Apache-2.0
#include "format/shard_joiner.h"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/same_text.h"
#include "format/json_reader.h"
#include "format/safetensors_format.h"

namespace ptsd::format {

using checkpoint::Checkpoint;
using checkpoint::Pair;
using pickle::NodeId;

namespace {

constexpr std::size_t kMostOfText = 40;  // bytes of metadata that are shown

// What writers have taken for the size: of all tensors, of those that do not share a storage with
// one before, of the storages.
std::set<std::uint64_t> sizes_of(const checkpoint::Tensors& tensors) {
  std::uint64_t all = 0;
  std::uint64_t apart = 0;
  std::uint64_t stored = 0;
  std::vector<bool> seen(tensors.storage_count());
  for (std::size_t i = 0; i < tensors.count(); ++i) {
    const checkpoint::TensorId id{static_cast<std::uint32_t>(i)};
    const std::uint64_t size = tensors.byte_count(tensors[id]);
    const auto& storage = tensors[id].storage;
    all += size;
    if (storage && seen[static_cast<std::size_t>(*storage)]) continue;
    if (storage) seen[static_cast<std::size_t>(*storage)] = true;
    apart += size;
  }
  for (std::size_t i = 0; i < tensors.storage_count(); ++i) {
    const checkpoint::Storage& storage =
        tensors[checkpoint::StorageId{static_cast<std::uint32_t>(i)}];
    stored += storage.count * storage.item_size();
  }
  return {all, apart, stored};
}

}  // namespace

void ShardJoiner::warn(std::string_view file, std::string message) {
  assembly_.warn({.where = {.file = std::string(file)}, .message = std::move(message)});
}

void ShardJoiner::add(const std::string& file, LoadPart load) {
  const file::InputFile& source = folder_.open(file, weight_map_ ? "the index" : "");
  std::unique_ptr<Loaded> part = load(Input{.source = source}, limits_);
  const Checkpoint& checkpoint = part->checkpoint();
  if (sharding_.parts.empty()) assembly_.facts().byteorder = part->facts().byteorder;
  sharding_.parts.push_back({.file = file, .format = part->facts().format});
  bytes_ += part->facts().bytes;
  has_checksums_ = has_checksums_ && part->facts().has_checksums;
  const std::vector<Pair> pairs = choose(checkpoint, source.name());
  take(checkpoint, pairs);
  if (checkpoint.graph().kind(checkpoint.root()) != pickle::Kind::Dict) is_ordered_ = true;
  if (part->facts().format == "safetensors") {
    note_metadata(checkpoint, source.name());
  } else {
    note_attributes(checkpoint, source.name());
  }
  std::vector<NodeId> values;
  for (const Pair& pair : pairs) {
    values.push_back(pair.value);
  }
  const std::vector<NodeId> copies = assembly_.adopt(std::move(part), values);
  for (std::size_t i = 0; i < copies.size(); ++i) {
    items_[items_.size() - 2 * (copies.size() - i) + 1] = copies[i];
  }
}

std::vector<Pair> ShardJoiner::distinct(const Checkpoint& part, const std::vector<Pair>& pairs,
                                        std::string_view file) {
  checkpoint::SameText same(part.graph());
  std::map<NodeId, std::size_t> places;
  std::vector<Pair> kept;
  Named again;
  for (const Pair& pair : pairs) {
    if (!checkpoint::is_text(part.graph(), pair.key)) {
      part.fail(Error::Kind::Unsupported,
                "a part of a sharded checkpoint with a key that is no text");
    }
    const auto [place, added] = places.try_emplace(same.first(pair.key), kept.size());
    if (added) {
      kept.push_back(pair);
    } else {
      kept[place->second].value = pair.value;
      again.add(part.graph().text(pair.key));
    }
  }
  if (again.count > 0) {
    warn(file, fmt::format("keys that stand again and get their last value: {}, the first is {}",
                           again.count, quote(again.first)));
  }
  return kept;
}

std::vector<Pair> ShardJoiner::choose(const Checkpoint& part, std::string_view file) {
  const auto pairs = pairs_of(part.names(), part.root());
  if (!pairs) {
    part.fail(Error::Kind::Unsupported,
              "a part of a sharded checkpoint that is no dict of names and tensors");
  }
  Named elsewhere;
  Named unnamed;
  std::vector<Pair> chosen;
  for (const Pair& pair : distinct(part, *pairs, file)) {
    if (counts(part, pair, file, elsewhere, unnamed)) chosen.push_back(pair);
  }
  if (elsewhere.count > 0) {
    warn(file, fmt::format("{} entries, which the index says are in another part, are left out; "
                           "the first is {}",
                           elsewhere.count, quote(elsewhere.first)));
  }
  if (unnamed.count > 0) {
    warn(file, fmt::format("{} tensor{} that the index does not name; the first is {}",
                           unnamed.count, unnamed.count == 1 ? "" : "s", quote(unnamed.first)));
  }
  return chosen;
}

bool ShardJoiner::counts(const Checkpoint& part, const Pair& pair, std::string_view file,
                         Named& elsewhere, Named& unnamed) {
  const std::string_view name = part.graph().text(pair.key);
  const std::string& own = sharding_.parts.back().file;
  if (weight_map_) {
    const auto named = weight_map_->find(name);
    if (named != weight_map_->end() && named->second != own) {
      elsewhere.add(name);
      return false;
    }
    if (named == weight_map_->end() && part.tensors().tensor_of(pair.value)) unnamed.add(name);
  }
  const auto before = entries_.find(name);
  if (before != entries_.end()) fail_twice(name, file, before->second.part);
  return true;
}

void ShardJoiner::fail_twice(std::string_view name, std::string_view file,
                             std::size_t before) const {
  throw Error(Error::Kind::Malformed, {.file = std::string(file)},
              fmt::format("{} stands in {} too", quote(name), quote(sharding_.parts[before].file)));
}

// Makes room for the values, which are copied all at once.
void ShardJoiner::take(const Checkpoint& part, const std::vector<Pair>& pairs) {
  const std::size_t number = sharding_.parts.size() - 1;
  for (const Pair& pair : pairs) {
    const std::string name(part.graph().text(pair.key));
    entries_.insert_or_assign(name, Entry{.part = number, .item = items_.size() + 1});
    items_.push_back(assembly_.builder().str(name));
    items_.push_back(NodeId{});
  }
}

void ShardJoiner::note_metadata(const Checkpoint& part, std::string_view file) {
  const auto metadata = attribute(part.names(), part.root(), kSafetensorsMetadata);
  if (!metadata) return;
  const auto pairs = pairs_of(part.names(), *metadata);
  if (!pairs) return;
  for (const Pair& pair : *pairs) {
    const std::string key(part.graph().text(pair.key));
    const std::string value(part.graph().text(pair.value));
    sharding_.parts.back().metadata.emplace_back(key, value);
    merge(key, value, file);
  }
}

void ShardJoiner::merge(const std::string& key, const std::string& value, std::string_view file) {
  const auto [at, is_new] = merged_.try_emplace(key, value);
  if (is_new) {
    metadata_.emplace_back(key, value);
  } else if (at->second != value && differing_.insert(key).second) {
    // Each part can have another: once is enough.
    const auto shown = [](const std::string& text) { return quote(abbreviate(text, kMostOfText)); };
    warn(file, fmt::format("__metadata__: {} is {} here and {} in an earlier part, which is kept",
                           quote(key), shown(value), shown(at->second)));
  }
}

void ShardJoiner::note_attributes(const Checkpoint& part, std::string_view file) {
  for (const pickle::Mutation& mutation : part.graph().mutations(part.root())) {
    if (mutation.change != pickle::Change::Build) continue;
    warn(file, "the attributes of the dict in this part are left out");
    return;
  }
}

void ShardJoiner::check_all_found() const {
  if (!weight_map_) return;
  for (const auto& [name, file] : *weight_map_) {
    if (entries_.contains(name)) continue;
    fail(Error::Kind::Malformed,
         fmt::format("{} is not in {}, where the index says it is", quote(name), quote(file)));
  }
}

// Texts only: numbers are facts about the files.
void ShardJoiner::add_index_metadata() {
  for (const auto& [key, json] : sharding_.metadata) {
    if (!json.starts_with('"')) continue;
    const std::string value = JsonReader(json, origin_).string();
    const auto kept = entries_.find(value);
    if (key != "format" && kept != entries_.end() && !entries_.contains(key)) {
      items_.push_back(assembly_.builder().str(key));
      items_.push_back(items_[kept->second.item]);
    } else {
      merge(key, value, origin_.file);
    }
  }
}

NodeId ShardJoiner::root() {
  pickle::Builder& builder = assembly_.builder();
  if (!is_ordered_ && metadata_.empty()) return builder.dict(items_);
  const NodeId dict = assembly_.tensors().ordered_dict();
  if (!items_.empty()) builder.graph().mutate(dict, pickle::Change::SetItems, items_);
  if (metadata_.empty()) return dict;
  std::vector<NodeId> texts;
  for (const auto& [key, value] : metadata_) {
    texts.push_back(builder.str(key));
    texts.push_back(builder.str(value));
  }
  const NodeId state[] = {builder.str(kSafetensorsMetadata), builder.dict(texts)};
  const NodeId attributes[] = {builder.dict(state)};
  builder.graph().mutate(dict, pickle::Change::Build, attributes);
  return dict;
}

void ShardJoiner::check_total_size(Loaded& loaded) const {
  for (const auto& [key, json] : loaded.facts().sharding->metadata) {
    if (key != "total_size") continue;
    double said = 0;
    const auto [end, error] = std::from_chars(json.data(), json.data() + json.size(), said);
    const bool is_number = error == std::errc() && end == json.data() + json.size();
    const std::set<std::uint64_t> sizes = sizes_of(loaded.checkpoint().tensors());
    const auto is_it = [&](std::uint64_t size) { return static_cast<double>(size) == said; };
    if (is_number && std::ranges::any_of(sizes, is_it)) return;
    loaded.checkpoint().warn(
        {.where = origin_,
         .message = fmt::format("the index says total_size {}, the tensors have {} bytes",
                                quote(abbreviate(json, 40)), *sizes.rbegin())});
  }
}

std::unique_ptr<Loaded> ShardJoiner::finish(std::string index, std::uint64_t index_size) {
  check_all_found();
  add_index_metadata();
  FileFacts& facts = assembly_.facts();
  facts.bytes = bytes_ + index_size;
  facts.has_checksums = has_checksums_;
  std::set<std::string_view> formats;
  for (const Sharding::Part& part : sharding_.parts) {
    formats.insert(part.format);
  }
  facts.writer = fmt::format("{} parts, {}{}", sharding_.parts.size(), fmt::join(formats, " and "),
                             index.empty() ? ", no index" : "");
  sharding_.index = std::move(index);
  for (const auto& [name, entry] : entries_) {
    sharding_.part_of.emplace(name, entry.part);
    sharding_.part_of_value.emplace(items_[entry.item], entry.part);
  }
  const NodeId dict = root();
  facts.sharding = std::move(sharding_);
  std::unique_ptr<Loaded> loaded = assembly_.finish(dict, limits_);
  check_total_size(*loaded);
  return loaded;
}

}  // namespace ptsd::format
