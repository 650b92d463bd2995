// SPDX-License-Identifier: Apache-2.0
#include "operation/state_attributes.h"

#include <array>
#include <cstddef>

namespace ptsd::operation {
namespace {

constexpr auto kAttributes = std::to_array<std::string_view>(
    {"~state/_metadata", "~state/__metadata__", "~state/_torchscript", "~state/_torch_export"});

bool ends_at(std::string_view path, std::size_t at) {
  return at == path.size() || path[at] == '/';
}

// The part of the path that leads to the attribute; empty if none does.
std::string_view attribute_path(std::string_view path) {
  for (const std::string_view attribute : kAttributes) {
    const std::size_t begin = path.find(attribute);
    if (begin == std::string_view::npos || (begin > 0 && path[begin - 1] != '/')) continue;
    const std::size_t end = begin + attribute.size();
    if (ends_at(path, end)) return path.substr(0, end);
  }
  return {};
}

}  // namespace

StateAttributes::StateAttributes(const DiffEntries& entries) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string_view path = attribute_path(entries[i].path);
    if (!path.empty()) paths_.insert(path);
  }
}

bool StateAttributes::lacks(std::string_view path) const {
  const std::string_view attribute = attribute_path(path);
  return !attribute.empty() && !paths_.contains(attribute);
}

}  // namespace ptsd::operation
