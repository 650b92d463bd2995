// SPDX-License-Identifier: Apache-2.0
#include "format/object_paths.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/quote.h"

namespace ptsd::format {

using pickle::NodeId;

namespace {

[[noreturn]] void fail_places(std::uint64_t most) {
  throw Error(Error::Kind::Limit, {}, fmt::format("more than {} values (--limit entries=N)", most));
}

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

NestedObjects::NestedObjects(const Limits& limits)
    : most_items_(limits.entries), deepest_(limits.depth) {
  places_.push_back({.kind = Kind::Dict, .parts = std::make_unique<Parts>()});
}

std::size_t NestedObjects::add_place() {
  if (places_.size() > most_items_) fail_places(most_items_);
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
  const std::int64_t index = std::get<std::int64_t>(item);
  if (index < 0) return std::nullopt;
  while (parts.places.size() <= static_cast<std::uint64_t>(index)) {
    parts.places.push_back(add_place());
  }
  return parts.places[static_cast<std::size_t>(index)];
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
