// SPDX-License-Identifier: Apache-2.0
#include "format/shard_plan.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "format/json_text.h"
#include "format/shard_folder.h"

namespace ptsd::format {

namespace {

using Texts = std::vector<std::pair<std::string, std::string>>;

std::string part_name(std::string_view stem, std::size_t number, std::size_t count,
                      std::string_view extension) {
  return fmt::format("{}-{:05}-of-{:05}{}", stem, number, count, extension);
}

// The items that share each storage, in the order of the first of them.
class Shared {
 public:
  // Whether this is the first of its storage, or has none that another has.
  bool add(std::size_t number, const ShardItem& item) {
    if (!item.storage) return true;
    const auto [found, is_first] = groups_.try_emplace(*item.storage, order_.size());
    if (is_first) order_.emplace_back();
    order_[found->second].push_back(number);
    return is_first;
  }
  const std::vector<std::vector<std::size_t>>& groups() const { return order_; }

 private:
  std::map<std::uint64_t, std::size_t> groups_;
  std::vector<std::vector<std::size_t>> order_;
};

class Splitter {
 public:
  explicit Splitter(std::uint64_t most) : most_(most) {}

  void add(std::size_t number, const ShardItem& item) {
    if (!shared_.add(number, item)) return;
    plan_.total_size += item.size;
    if (item.size > most_) {
      push({number});
      return;
    }
    if (size_ > most_ - item.size) flush();
    current_.push_back(number);
    size_ += item.size;
  }

  ShardPlan finish(std::string_view stem, std::string_view extension) {
    if (!current_.empty() || plan_.parts.empty()) flush();
    add_shared();
    const std::size_t count = plan_.parts.size();
    for (std::size_t i = 0; i < count; ++i) {
      plan_.parts[i].file = count == 1 ? fmt::format("{}{}", stem, extension)
                                       : part_name(stem, i + 1, count, extension);
    }
    return std::move(plan_);
  }

 private:
  void push(std::vector<std::size_t> items) {
    for (const std::size_t item : items) {
      part_of_.emplace(item, plan_.parts.size());
    }
    plan_.parts.push_back({.file = {}, .items = std::move(items)});
  }
  void flush() {
    push(std::move(current_));
    current_.clear();
    size_ = 0;
  }
  // Behind everything else in the part of the first.
  void add_shared() {
    for (const std::vector<std::size_t>& group : shared_.groups()) {
      ShardPlan::Part& part = plan_.parts[part_of_.at(group.front())];
      part.items.insert(part.items.end(), group.begin() + 1, group.end());
    }
  }

  std::uint64_t most_;
  ShardPlan plan_;
  Shared shared_;
  std::map<std::size_t, std::size_t> part_of_;
  std::vector<std::size_t> current_;
  std::uint64_t size_ = 0;
};

// New numbers for parts of which some are gone.
void number_again(std::vector<ShardPlan::Part>& parts) {
  std::vector<std::string> files;
  for (const ShardPlan::Part& part : parts) {
    const std::optional<PartName> name = split_part_name(part.file);
    if (!name) return;
    files.push_back(part_name(name->stem, files.size() + 1, parts.size(), name->extension));
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i].file = std::move(files[i]);
  }
}

void append_object(std::string& out, const Texts& entries, std::string_view indent) {
  if (entries.empty()) {
    out += "{}";
    return;
  }
  std::string_view before = "{\n";
  for (const auto& [key, json] : entries) {
    out += before;
    out += indent;
    out += "  ";
    append_json_string(out, key, JsonEscapes::Ascii);
    out += ": ";
    out += json;
    before = ",\n";
  }
  out += '\n';
  out += indent;
  out += '}';
}

Texts metadata_of(std::uint64_t total_size,
                  std::span<const std::pair<std::string, std::string>> old) {
  const std::string size = std::to_string(total_size);
  const auto is_size = [](const auto& entry) { return entry.first == "total_size"; };
  const auto before = std::ranges::find_if(old, is_size);
  const bool is_same = before != old.end() && before->second == size;
  Texts metadata;
  if (before == old.end()) metadata.emplace_back("total_size", size);
  for (const auto& [key, json] : old) {
    if (key == "total_parameters" && !is_same) continue;
    metadata.emplace_back(key, key == "total_size" ? size : json);
  }
  return metadata;
}

}  // namespace

ShardPlan split_by_size(std::span<const ShardItem> items, std::uint64_t most, std::string_view stem,
                        std::string_view extension) {
  Splitter splitter(most);
  for (std::size_t i = 0; i < items.size(); ++i) {
    splitter.add(i, items[i]);
  }
  return splitter.finish(stem, extension);
}

ShardPlan split_as_before(std::span<const ShardItem> items, const Sharding& sharding) {
  ShardPlan plan;
  for (const Sharding::Part& part : sharding.parts) {
    plan.parts.push_back({.file = part.file, .items = {}});
  }
  std::map<std::uint64_t, std::size_t> part_of_storage;
  for (const ShardItem& item : items) {
    const auto known = sharding.part_of.find(item.name);
    if (item.storage && known != sharding.part_of.end()) {
      part_of_storage.try_emplace(*item.storage, known->second);
    }
  }
  Shared shared;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const ShardItem& item = items[i];
    std::size_t part = plan.parts.size() - 1;
    const auto known = sharding.part_of.find(item.name);
    if (known != sharding.part_of.end()) {
      part = known->second;
    } else if (item.storage && part_of_storage.contains(*item.storage)) {
      part = part_of_storage.at(*item.storage);
    }
    plan.parts[part].items.push_back(i);
    if (shared.add(i, item)) plan.total_size += item.size;
  }
  const std::size_t gone =
      std::erase_if(plan.parts, [](const ShardPlan::Part& part) { return part.items.empty(); });
  if (plan.parts.empty()) plan.parts.push_back({.file = sharding.parts.front().file, .items = {}});
  if (gone > 0) number_again(plan.parts);
  return plan;
}

std::optional<std::uint64_t> parse_shard_size(std::string_view text) {
  struct Unit {
    std::string_view name;
    double bytes;
  };
  constexpr auto kUnits = std::to_array<Unit>({
      {"",   1   },
      {"kb", 1e3 },
      {"mb", 1e6 },
      {"gb", 1e9 },
      {"tb", 1e12}
  });
  constexpr double kMost = 9e18;
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc() || !std::isfinite(number)) return std::nullopt;
  std::string unit;
  for (const char c : text.substr(static_cast<std::size_t>(end - text.data()))) {
    if (c != ' ') unit += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 'a' - 'A') : c;
  }
  const auto* const found = std::ranges::find(kUnits, unit, &Unit::name);
  if (found == kUnits.end()) return std::nullopt;
  const double bytes = number * found->bytes;
  if (bytes < 1 || bytes > kMost) return std::nullopt;
  return static_cast<std::uint64_t>(bytes);
}

std::string shard_index_text(const ShardPlan& plan, std::span<const ShardItem> items,
                             std::span<const std::pair<std::string, std::string>> metadata,
                             const IndexStyle& style) {
  Texts facts = metadata_of(plan.total_size, metadata);
  Texts weight_map;
  for (const ShardPlan::Part& part : plan.parts) {
    std::string file;
    append_json_string(file, part.file, JsonEscapes::Ascii);
    for (const std::size_t item : part.items) {
      weight_map.emplace_back(items[item].name, file);
    }
  }
  if (style.sorted) {
    std::ranges::sort(facts);
    std::ranges::sort(weight_map);
  }
  std::string text = "{\n  \"metadata\": ";
  append_object(text, facts, "  ");
  text += ",\n  \"weight_map\": ";
  append_object(text, weight_map, "  ");
  text += "\n}";
  if (style.final_newline) text += '\n';
  return text;
}

}  // namespace ptsd::format
