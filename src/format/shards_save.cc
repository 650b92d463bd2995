// SPDX-License-Identifier: Apache-2.0
#include "format/shards_save.h"

#include <algorithm>
#include <map>

#include "checkpoint/draft.h"
#include "checkpoint/tensor_builder.h"
#include "format/json_text.h"
#include "format/safetensors_save.h"
#include "format/shard_items.h"
#include "format/text_save.h"
#include "format/torch_zip_save.h"
#include "pickle/graph_copier.h"

namespace ptsd::format {

using checkpoint::Checkpoint;
using checkpoint::Draft;
using checkpoint::FlatCheckpoint;
using checkpoint::Pair;
using pickle::NodeId;

namespace {

using Texts = std::vector<std::pair<std::string, std::string>>;

bool has(const Texts& texts, const std::pair<std::string, std::string>& entry) {
  return std::ranges::find(texts, entry) != texts.end();
}

// What a part says: what it said before, as far as that still holds, else the "format".
Texts metadata_of_part(const FlatCheckpoint& flat, const Sharding* before,
                       const std::string& file) {
  if (before != nullptr) {
    const auto old = std::ranges::find(before->parts, file, &Sharding::Part::file);
    if (old != before->parts.end() && !old->metadata.empty()) {
      Texts kept = old->metadata;
      std::erase_if(kept, [&](const auto& entry) { return !has(flat.metadata, entry); });
      return kept;
    }
  }
  Texts metadata = flat.metadata;
  std::erase_if(metadata, [](const auto& entry) { return entry.first != "format"; });
  return metadata;
}

// Whether a part says it, and the index need not.
bool is_of_parts(const std::pair<std::string, std::string>& entry, const Sharding* before) {
  if (entry.first == "format") return true;
  return before != nullptr && std::ranges::any_of(before->parts, [&](const Sharding::Part& part) {
           return has(part.metadata, entry);
         });
}

// Keys and JSON texts: what the index said before, with the texts that there are now.
Texts metadata_of_index(const FlatCheckpoint& flat, const Sharding* before) {
  Texts metadata;
  std::map<std::string, std::string, std::less<>> left;
  for (const auto& entry : flat.metadata) {
    if (is_of_parts(entry, before)) continue;
    append_json_string(left[entry.first], entry.second, JsonEscapes::Ascii);
  }
  if (before != nullptr) {
    for (const auto& [key, json] : before->metadata) {
      const auto now = left.find(key);
      // A text that is gone was an alias, or taken out.
      if (now == left.end() && json.starts_with('"')) continue;
      metadata.emplace_back(key, now == left.end() ? json : now->second);
      if (now != left.end()) left.erase(now);
    }
  }
  metadata.insert(metadata.end(), left.begin(), left.end());
  return metadata;
}

// A draft of a dict with these entries of another, of the same kind.
Draft part_of(Checkpoint& checkpoint, NodeId dict, std::span<const Pair> entries) {
  const unsigned protocol = checkpoint.pickle().protocol;
  const auto graph = std::make_shared<pickle::Graph>(Bytes());
  pickle::Builder builder(*graph, protocol);
  pickle::GraphCopier copier(checkpoint.graph(), protocol, builder);
  std::vector<NodeId> items;
  for (const Pair& entry : entries) {
    items.push_back(copier.copy(entry.key));
    items.push_back(copier.copy(entry.value));
  }
  NodeId root{};
  if (checkpoint.graph().kind(dict) == pickle::Kind::Dict) {
    root = builder.dict(items);
  } else {
    root = checkpoint::TensorBuilder(builder).ordered_dict();
    if (!items.empty()) graph->mutate(root, pickle::Change::SetItems, items);
  }
  return {.base = checkpoint,
          .root = root,
          .pickle_changed = true,
          .drop_unused = true,
          .protocol = protocol,
          .converted = graph};
}

std::string stem_of(const std::string& file) {
  return file.substr(0, file.rfind('.'));
}

}  // namespace

PlannedFiles plan_torch_shards(Loaded& settled, NodeId dict, const ShardPlan& plan,
                               const std::string& index, const Sharding* before,
                               const IndexStyle& style) {
  Checkpoint& checkpoint = settled.checkpoint();
  const std::vector<Pair> entries = shard_entries(checkpoint, dict);
  const Loaded* const input = &settled;
  PlannedFiles planned;
  for (const ShardPlan::Part& part : plan.parts) {
    std::vector<Pair> own;
    for (const std::size_t item : part.items) {
      own.push_back(entries[item]);
    }
    planned.files.push_back(
        {.name = part.file,
         .save = std::make_unique<TorchZipSave>(part_of(checkpoint, dict, own), Inputs(&input, 1),
                                                SaveOptions{.root = stem_of(part.file)})});
  }
  if (plan.parts.size() == 1) return planned;
  const Texts metadata = before == nullptr ? Texts() : before->metadata;
  planned.files.push_back({.name = index,
                           .save = std::make_unique<TextSave>(shard_index_text(
                               plan, shard_items(checkpoint, dict), metadata, style))});
  return planned;
}

PlannedFiles plan_safetensors_shards(FlatCheckpoint flat, Inputs inputs, const ShardPlan& plan,
                                     const std::string& index, const Sharding* before,
                                     const IndexStyle& style) {
  PlannedFiles planned;
  if (plan.parts.size() == 1) {
    planned.files.push_back({.name = plan.parts[0].file,
                             .save = std::make_unique<SafetensorsSave>(std::move(flat), inputs)});
    return planned;
  }
  const std::vector<ShardItem> items = shard_items(flat);
  std::string text = shard_index_text(plan, items, metadata_of_index(flat, before), style);
  for (const ShardPlan::Part& part : plan.parts) {
    FlatCheckpoint own = {.tensors = {}, .metadata = metadata_of_part(flat, before, part.file)};
    for (const std::size_t item : part.items) {
      own.tensors.push_back(std::move(flat.tensors[item]));
    }
    planned.files.push_back(
        {.name = part.file, .save = std::make_unique<SafetensorsSave>(std::move(own), inputs)});
  }
  planned.files.push_back({.name = index, .save = std::make_unique<TextSave>(std::move(text))});
  return planned;
}

}  // namespace ptsd::format
