// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"
#include "base/limits.h"
#include "pickle/builder.h"

namespace ptsd::format {

// Where a value lies in dicts and lists: keys and indices, from the root on.
using ObjectPath = std::vector<std::variant<std::string, std::int64_t>>;

std::string to_string(const ObjectPath& path);

// Dicts and lists that are put together of the values in them (torch.distributed.checkpoint,
// _traverse.py, set_element): what has keys is a dict, what has indices is a list with None where
// there is no value.
class NestedObjects {
 public:
  // The root is a dict. `values` is how many will be set, `where` names the input in errors.
  NestedObjects(Where where, const Limits& limits, std::uint64_t values);

  // Why there can be no such value: nothing if there can. Throws Error::Limit for more places than
  // Limits::entries.
  std::optional<std::string> set(const ObjectPath& path, pickle::NodeId value);
  pickle::NodeId build(pickle::Builder& builder) const;

 private:
  enum class Kind : std::uint8_t { None, Value, Dict, List };

  struct Parts {
    std::vector<std::size_t> places;
    std::vector<std::string> keys;                           // of a dict, by part
    std::map<std::string, std::size_t, std::less<>> by_key;  // places
  };

  struct Place {
    Kind kind = Kind::None;
    pickle::NodeId value{};
    std::unique_ptr<Parts> parts = {};
  };

  [[noreturn]] void fail(Error::Kind kind, std::string message) const;
  std::size_t add_place();
  std::optional<std::size_t> at_index(Parts& list, std::int64_t index);
  std::optional<std::size_t> step(std::size_t at, const ObjectPath::value_type& item);

  Where where_;
  std::uint64_t most_items_;
  std::uint64_t most_empty_;
  std::uint64_t empty_ = 0;  // places that an index has skipped, whether or not they were set later
  std::uint64_t deepest_;
  std::deque<Place> places_;  // a part comes after what it is in
};

}  // namespace ptsd::format
