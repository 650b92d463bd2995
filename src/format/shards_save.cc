// SPDX-License-Identifier: Apache-2.0
#include "format/shards_save.h"

#include <algorithm>
#include <map>

#include "base/quote.h"
#include "format/json_text.h"
#include "format/safetensors_save.h"
#include "format/text_save.h"
#include "tensor/layout.h"

namespace ptsd::format {

using checkpoint::FlatCheckpoint;
using checkpoint::FlatTensor;

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

}  // namespace

std::vector<ShardItem> shard_items(const FlatCheckpoint& flat) {
  std::vector<ShardItem> items;
  for (const FlatTensor& tensor : flat.tensors) {
    items.push_back(
        {.name = tensor.name, .size = tensor::byte_count(tensor.shape, tensor.dtype).value_or(0)});
  }
  return items;
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
