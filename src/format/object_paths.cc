// SPDX-License-Identifier: Apache-2.0
#include "format/object_paths.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace ptsd::format {

using pickle::NodeId;

namespace {

// What is empty vanishes from a list when it is flattened (torch 2.3), so a few values can lie far
// apart.
constexpr std::uint64_t kEmptyPlaces = 1000;

}  // namespace

std::string to_string(const ObjectPath& path) {
  std::string text;
  for (const auto& item : path) {
    if (!text.empty()) text += '/';
    const auto* const key = std::get_if<std::string>(&item);
    text += key != nullptr ? *key : fmt::format("{}", std::get<std::int64_t>(item));
  }
  return text;
}

NestedObjects::NestedObjects(Where where, const Limits& limits, std::uint64_t values)
    : where_(std::move(where)),
      most_items_(limits.entries),
      most_empty_(std::max(values, kEmptyPlaces)),
      deepest_(limits.depth) {
  places_.push_back({.kind = Kind::Dict, .parts = std::make_unique<Parts>()});
}

void NestedObjects::fail(Error::Kind kind, std::string message) const {
  throw Error(kind, where_, std::move(message));
}

std::size_t NestedObjects::add_place() {
  if (places_.size() > most_items_) {
    fail(Error::Kind::Limit, fmt::format("more than {} values (--limit entries=N)", most_items_));
  }
  places_.emplace_back();
  return places_.size() - 1;
}

// The place of a part, which is made a dict or a list of the first that is put there.
std::optional<std::size_t> NestedObjects::step(std::size_t at, const ObjectPath::value_type& item) {
  Place& place = places_[at];
  const auto* const key = std::get_if<std::string>(&item);
  const Kind kind = key != nullptr ? Kind::Dict : Kind::List;
  if (place.kind == Kind::None) {
    place.kind = kind;
    place.parts = std::make_unique<Parts>();
  }
  if (place.kind != kind) return std::nullopt;
  Parts& parts = *place.parts;
  if (key != nullptr) {
    const auto found = parts.by_key.find(*key);
    if (found != parts.by_key.end()) return found->second;
    const std::size_t part = add_place();
    parts.by_key.emplace(*key, part);
    parts.keys.push_back(*key);
    parts.places.push_back(part);
    return part;
  }
  return at_index(parts, std::get<std::int64_t>(item));
}

std::optional<std::size_t> NestedObjects::at_index(Parts& list, std::int64_t index) {
  if (index < 0) return std::nullopt;
  const auto at = static_cast<std::uint64_t>(index);
  if (at > list.places.size()) {
    const std::uint64_t skipped = at - list.places.size();
    if (skipped > most_empty_ - empty_) {
      fail(Error::Kind::Malformed,
           fmt::format("index {} in a list: it leaves {} places empty, expected at most {}", index,
                       skipped, most_empty_ - empty_));
    }
    empty_ += skipped;
  }
  while (list.places.size() <= at) {
    list.places.push_back(add_place());
  }
  return list.places[at];
}

std::optional<std::string> NestedObjects::set(const ObjectPath& path, NodeId value) {
  if (path.empty()) return "an empty path";
  if (path.size() > deepest_) {
    return fmt::format("a path of {} parts (--limit depth=N)", path.size());
  }
  std::size_t at = 0;
  for (const auto& item : path) {
    const std::optional<std::size_t> part = step(at, item);
    if (!part) return "a path through what another path makes a value, or another container";
    at = *part;
  }
  if (places_[at].kind != Kind::None) return "another value lies at the same path, or below it";
  places_[at].kind = Kind::Value;
  places_[at].value = value;
  return std::nullopt;
}

NodeId NestedObjects::build(pickle::Builder& builder) const {
  std::vector<NodeId> built(places_.size());
  for (std::size_t i = places_.size(); i-- > 0;) {
    const Place& place = places_[i];
    std::vector<NodeId> items;
    for (std::size_t part = 0; place.parts && part < place.parts->places.size(); ++part) {
      if (place.kind == Kind::Dict) items.push_back(builder.str(place.parts->keys[part]));
      items.push_back(built[place.parts->places[part]]);
    }
    switch (place.kind) {
      case Kind::None: built[i] = builder.none(); break;
      case Kind::Value: built[i] = place.value; break;
      case Kind::Dict: built[i] = builder.dict(items); break;
      case Kind::List: built[i] = builder.list(items); break;
    }
  }
  return built[0];
}

}  // namespace ptsd::format
