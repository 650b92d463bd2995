// SPDX-License-Identifier: Apache-2.0
#include "operation/name_parts.h"

#include <unordered_set>

namespace ptsd::operation {
namespace {

template <class Take>
std::vector<std::string> parts(std::span<const std::string_view> names, const Take& take) {
  constexpr std::string_view kSeparators = "./";
  std::unordered_set<std::string_view> seen;
  std::vector<std::string> found;
  for (const std::string_view name : names) {
    for (std::size_t at = name.find_first_of(kSeparators); at != std::string_view::npos;
         at = name.find_first_of(kSeparators, at + 1)) {
      if (seen.insert(take(name, at)).second) found.emplace_back(take(name, at));
    }
  }
  return found;
}

}  // namespace

std::vector<std::string> name_beginnings(std::span<const std::string_view> names) {
  return parts(names, [](std::string_view name, std::size_t at) { return name.substr(0, at + 1); });
}

std::vector<std::string> name_endings(std::span<const std::string_view> names) {
  return parts(names, [](std::string_view name, std::size_t at) { return name.substr(at); });
}

}  // namespace ptsd::operation
