// SPDX-License-Identifier: Apache-2.0
#include "operation/module_tree.h"

#include <algorithm>

namespace ptsd::operation {

ModuleTree::Id ModuleTree::child(Id parent, std::string_view segment) {
  const auto number = static_cast<Id>(modules_.size());
  const auto [found, added] = children_.try_emplace({parent, segment}, number);
  if (!added) return found->second;
  modules_.emplace_back();
  Module& above = modules_[parent];
  if (above.first_child == 0) {
    above.first_child = number;
  } else {
    modules_[above.last_child].next = number;
  }
  above.last_child = number;
  return number;
}

ModuleTree::Id ModuleTree::add(std::string_view path) {
  Id module = 0;
  while (!path.empty()) {
    const std::size_t size = std::min(path.find('.'), path.size());
    module = child(module, path.substr(0, size));
    path.remove_prefix(std::min(size + 1, path.size()));
  }
  return module;
}

ModuleTree::Place ModuleTree::place(std::string_view name) const {
  Place place = {.module = 0, .rest = name};
  while (true) {
    const std::size_t dot = place.rest.find('.');
    if (dot == std::string_view::npos) return place;
    const auto found = children_.find({place.module, place.rest.substr(0, dot)});
    if (found == children_.end()) return place;
    place.module = found->second;
    place.rest.remove_prefix(dot + 1);
  }
}

std::vector<std::uint32_t> ModuleTree::ranks() const {
  std::vector<std::uint32_t> ranks(modules_.size());
  std::vector<Id> stack = {0};
  std::uint32_t rank = 0;
  while (!stack.empty()) {
    const Id id = stack.back();
    stack.pop_back();
    ranks[id] = rank++;
    const Module& module = modules_[id];
    if (module.next != 0) stack.push_back(module.next);
    if (module.first_child != 0) stack.push_back(module.first_child);
  }
  return ranks;
}

}  // namespace ptsd::operation
