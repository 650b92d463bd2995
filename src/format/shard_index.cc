// SPDX-License-Identifier: Apache-2.0
#include "format/shard_index.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"
#include "format/json_reader.h"

namespace ptsd::format {

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// Of half a million entries. What is read of it takes several times as much memory.
constexpr std::uint64_t kLargestIndex = std::uint64_t{1} << 26;  // bytes

// No key may stand twice. An index can have a million, and so none is copied. `offsets`: of the
// keys.
void check_once(const JsonReader& json, const Pairs& pairs,
                const std::vector<std::size_t>& offsets) {
  std::vector<std::size_t> order(pairs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto key = [&](std::size_t i) -> const std::string& { return pairs[i].first; };
  std::ranges::stable_sort(order, {}, key);
  const auto twice = std::ranges::adjacent_find(order, {}, key);
  if (twice == order.end()) return;
  json.fail_at(offsets[twice[1]], Error::Kind::Malformed, quote(key(*twice)) + " stands twice");
}

// An object, with what `value` reads of each of its values.
template <class Value>
Pairs read_pairs(JsonReader& json, std::string_view what, const Value& value) {
  Pairs pairs;
  std::vector<std::size_t> offsets;
  json.set_subject(std::string(what));
  json.begin_object();
  while (std::optional<std::string> key = json.key()) {
    offsets.push_back(json.offset());
    json.set_subject(fmt::format("{}: {}", what, quote(*key)));
    std::string text = value();
    json.set_subject(std::string(what));
    pairs.emplace_back(*std::move(key), std::move(text));
  }
  check_once(json, pairs, offsets);
  json.set_subject("");
  return pairs;
}

}  // namespace

ShardIndex read_shard_index(const ByteSource& source, const Limits& limits) {
  if (source.size() > kLargestIndex) {
    source.fail(Error::Kind::Limit,
                fmt::format("JSON text of {} bytes, the largest index of a sharded checkpoint has "
                            "{}",
                            source.size(), kLargestIndex));
  }
  const std::vector<std::byte> text = source.read(0, source.size());
  const Where origin = {.file = source.name()};
  JsonReader json(as_text(text), origin);
  ShardIndex index;
  std::set<std::string> seen;
  json.begin_object();
  while (const std::optional<std::string> key = json.key()) {
    if (!seen.insert(*key).second) json.fail(quote(*key) + " stands twice");
    if (*key == "weight_map") {
      index.weight_map = read_pairs(json, "weight_map", [&] { return json.string(); });
    } else if (*key == "metadata") {
      index.metadata =
          read_pairs(json, "metadata", [&] { return std::string(json.skip(limits.depth)); });
    } else {
      json.skip(limits.depth);
    }
  }
  json.end();
  if (!seen.contains("weight_map")) {
    source.fail(Error::Kind::Malformed,
                "JSON without \"weight_map\", not the index of a sharded checkpoint");
  }
  if (index.weight_map.empty()) source.fail(Error::Kind::Malformed, "the index names no part");
  index.style = {
      .sorted = std::ranges::is_sorted(index.weight_map) && std::ranges::is_sorted(index.metadata),
      .final_newline = as_text(text).ends_with('\n')};
  return index;
}

}  // namespace ptsd::format
