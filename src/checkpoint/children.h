// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/names.h"

// What is directly inside a value, and how it is addressed: the items of lists, tuples, sets and
// dicts in all their pickled forms, the attributes of objects, and whatever else an object was
// made from. No part of an object is left out.
//
// A segment is a piece of a path. Items of a container and attributes of an object that has only
// attributes are named plainly; so are the arguments of an object that has nothing else. In an
// object that mixes them the items are plain, and the rest lies below "~state", "~args" and
// "~kwargs", which no key can spell: a "~" in a key is written "~0", a "/" "~1".

namespace ptsd::checkpoint {

struct Child {
  enum class Label : std::uint8_t { Index, Key };
  enum class Part : std::uint8_t { Plain, State, Args, Kwargs, Callable, WholeState };

  pickle::NodeId value;
  pickle::NodeId key{};     // if labelled by key
  std::uint32_t index = 0;  // if labelled by index
  Label label = Label::Index;
  Part part = Part::Plain;
  bool quoted = false;    // a str key that another key would be mistaken for
  bool numbered = false;  // no spelling of its own is free: "~@index"
};

struct Children {
  std::vector<Child> list;
  std::optional<pickle::NodeId> repeated_key;  // the last value of such a key counts
  std::uint64_t left_out = 0;                  // earlier values, and what a module has only by name
};

// Nothing for a scalar.
Children children_of(const Names& names, pickle::NodeId node);

// The attributes that a state sets, below "~state".
Children attributes_of(const Names& names, pickle::NodeId state);

// What a deque or a defaultdict is made with, besides items: no path leads there.
struct Setting {
  std::string_view name;  // "maxlen", "default_factory"
  pickle::NodeId value;
};

// Nothing where it is None.
std::optional<Setting> setting_of(const Names& names, pickle::NodeId node);

// The segment of a child, escaped for a path.
void append_segment(std::string& path, const Names& names, const Child& child);

}  // namespace ptsd::checkpoint
