// SPDX-License-Identifier: Apache-2.0
#include "format/shards_save.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

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

using Text = std::pair<std::string, std::string>;
using Texts = std::vector<Text>;

// Which texts stand in the headers of the parts, and which in the index.
class PartMetadata {
 public:
  // Borrows all three; `given` are for every part.
  PartMetadata(const Texts& texts, const Sharding* before, const Texts& given)
      : texts_(texts),
        before_(before),
        given_(given),
        valid_(texts.begin(), texts.end()),
        of_parts_(given.begin(), given.end()) {
    if (before == nullptr) return;
    for (const Sharding::Part& part : before->parts) {
      said_.emplace(part.file, &part.metadata);
      of_parts_.insert(part.metadata.begin(), part.metadata.end());
    }
  }

  // What the part said before, as far as that still holds, else the "format"; and what is given.
  Texts of_part(const std::string& file) const {
    const auto before = said_.find(file);
    const bool said_something = before != said_.end() && !before->second->empty();
    Texts metadata;
    const auto holds = [&](const Text& text) {
      return said_something ? valid_.contains(text) : text.first == "format";
    };
    std::ranges::copy_if(said_something ? *before->second : texts_, std::back_inserter(metadata),
                         holds);
    for (const Text& text : given_) {
      const bool is_there = std::ranges::find(metadata, text) != metadata.end();
      if (valid_.contains(text) && !is_there) metadata.push_back(text);
    }
    return metadata;
  }

  // Keys and JSON texts: what the index said before, with the texts that there are now.
  Texts of_index() const {
    Texts metadata;
    std::map<std::string, std::string, std::less<>> left;
    for (const Text& text : texts_) {
      if (text.first == "format" || of_parts_.contains(text)) continue;
      append_json_string(left[text.first], text.second, JsonEscapes::Ascii);
    }
    for (const auto& [key, json] : before_ == nullptr ? Texts() : before_->metadata) {
      const auto now = left.find(key);
      // A text that is gone was an alias, or taken out.
      if (now == left.end() && json.starts_with('"')) continue;
      metadata.emplace_back(key, now == left.end() ? json : now->second);
      if (now != left.end()) left.erase(now);
    }
    metadata.insert(metadata.end(), left.begin(), left.end());
    return metadata;
  }

 private:
  const Texts& texts_;
  const Sharding* before_;
  const Texts& given_;
  std::set<Text> valid_;
  std::set<Text> of_parts_;
  std::map<std::string_view, const Texts*> said_;  // by file
};

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
  const std::string name = file.substr(file.rfind('/') + 1);
  return name.substr(0, name.rfind('.'));
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
                                     const IndexStyle& style, const Texts& given) {
  PlannedFiles planned;
  if (plan.parts.size() == 1) {
    planned.files.push_back({.name = plan.parts[0].file,
                             .save = std::make_unique<SafetensorsSave>(std::move(flat), inputs)});
    return planned;
  }
  const std::vector<ShardItem> items = shard_items(flat);
  const PartMetadata metadata(flat.metadata, before, given);
  std::string text = shard_index_text(plan, items, metadata.of_index(), style);
  for (const ShardPlan::Part& part : plan.parts) {
    FlatCheckpoint own = {.tensors = {}, .metadata = metadata.of_part(part.file)};
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
