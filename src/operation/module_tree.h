// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ptsd::operation {

// The modules of a model, as the paths in its state dict tell of them: "a" and "a.b" of "a.b.c".
// Borrows the text of the paths.
class ModuleTree {
 public:
  using Id = std::uint32_t;

  ModuleTree() : modules_(1) {}

  // The module of this path, with those above it; "" is the root. Children keep the order in which
  // they came.
  Id add(std::string_view path);

  // The innermost module that a name leads into, and what the name says beyond it.
  struct Place {
    Id module;
    std::string_view rest;
  };
  Place place(std::string_view name) const;

  // By module, when load_state_dict() comes to it: parents before children.
  std::vector<std::uint32_t> ranks() const;

 private:
  struct Module {
    Id first_child = 0;  // 0: none, the root is nobody's child
    Id last_child = 0;
    Id next = 0;
  };
  struct Key {
    Id parent;
    std::string_view segment;

    bool operator==(const Key&) const = default;
  };
  struct Hash {
    std::size_t operator()(const Key& key) const {
      return std::hash<std::string_view>()(key.segment) ^ key.parent * 0x9E3779B97F4A7C15u;
    }
  };

  Id child(Id parent, std::string_view segment);

  std::vector<Module> modules_;
  std::unordered_map<Key, Id, Hash> children_;
};

}  // namespace ptsd::operation
