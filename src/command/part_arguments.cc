// SPDX-License-Identifier: Apache-2.0
#include "command/part_arguments.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>

#include "format/shard_folder.h"

namespace ptsd::command {

namespace {

struct Part {
  std::string set;  // its path
  std::string number;
  std::uint64_t count;
};

std::optional<Part> part_of(std::string_view argument) {
  const std::size_t slash = argument.rfind('/');
  const std::size_t start = slash == std::string_view::npos ? 0 : slash + 1;
  const auto name = format::split_part_name(argument.substr(start));
  if (!name) return std::nullopt;
  std::uint64_t count = 0;
  std::from_chars(name->count.data(), name->count.data() + name->count.size(), count);
  return Part{.set = std::string(argument.substr(0, start)) + name->set_name(),
              .number = std::string(name->number),
              .count = count};
}

// How many arguments from `first` on are the parts of one set, if those are all, and several; else
// 0.
std::size_t length_of_set(const std::vector<std::string>& arguments, std::size_t first) {
  const std::optional<Part> part = part_of(arguments[first]);
  std::set<std::string> numbers;
  for (std::size_t i = first; part && i < arguments.size(); ++i) {
    const std::optional<Part> next = part_of(arguments[i]);
    if (!next || next->set != part->set || !numbers.insert(next->number).second) break;
  }
  const bool is_whole = part && numbers.size() > 1 && numbers.size() == part->count;
  return is_whole ? numbers.size() : 0;
}

}  // namespace

bool is_part(std::string_view argument) {
  return part_of(argument).has_value();
}

std::vector<std::string> join_parts(const std::vector<std::string>& arguments) {
  std::vector<std::string> joined;
  for (std::size_t i = 0; i < arguments.size();) {
    const std::size_t length = length_of_set(arguments, i);
    joined.push_back(length == 0 ? arguments[i] : part_of(arguments[i])->set);
    i += length == 0 ? 1 : length;
  }
  return joined;
}

}  // namespace ptsd::command
