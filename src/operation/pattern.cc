// SPDX-License-Identifier: Apache-2.0
#include "operation/pattern.h"

#include <optional>
#include <utility>

namespace ptsd::operation {
namespace {

constexpr std::string_view kRegexPrefix = "re:";

// Where the set that begins at `glob[at]` ends, or nothing for a "[" that is no set.
std::optional<std::size_t> set_end(std::string_view glob, std::size_t at) {
  std::size_t from = at + 1;
  if (from < glob.size() && (glob[from] == '!' || glob[from] == '^')) ++from;
  // A "]" that comes first is a member.
  const std::size_t end = glob.find(']', from + 1);
  if (end == std::string_view::npos) return std::nullopt;
  return end;
}

bool set_has(std::string_view set, char c) {
  const bool negated = set.starts_with('!') || set.starts_with('^');
  if (negated) set.remove_prefix(1);
  bool found = false;
  while (!set.empty()) {
    const bool range = set.size() >= 3 && set[1] == '-';
    found = found || (range ? c >= set[0] && c <= set[2] : c == set[0]);
    set.remove_prefix(range ? 3 : 1);
  }
  return found != negated;
}

// Matches one glob element that is no "*" against `c`, and moves past it.
bool match_one(std::string_view glob, std::size_t& at, char c) {
  if (glob[at] == '[') {
    if (const std::optional<std::size_t> end = set_end(glob, at)) {
      const bool found = set_has(glob.substr(at + 1, *end - at - 1), c);
      at = *end + 1;
      return found;
    }
  }
  const bool found = glob[at] == '?' || glob[at] == c;
  ++at;
  return found;
}

// Backs up to the last "*" only: linear in practice, quadratic at worst.
bool glob_matches(std::string_view glob, std::string_view name) {
  std::size_t at = 0;
  std::size_t position = 0;
  std::optional<std::size_t> star;  // the element behind the last "*"
  std::size_t star_position = 0;
  while (position < name.size()) {
    if (at < glob.size() && glob[at] == '*') {
      star = ++at;
      star_position = position;
    } else if (at < glob.size() && match_one(glob, at, name[position])) {
      ++position;
    } else if (star) {
      at = *star;
      position = ++star_position;
    } else {
      return false;
    }
  }
  while (at < glob.size() && glob[at] == '*') {
    ++at;
  }
  return at == glob.size();
}

}  // namespace

Pattern::Pattern(std::string text) : text_(std::move(text)) {
  if (text_.starts_with(kRegexPrefix)) regex_.emplace(text_.substr(kRegexPrefix.size()));
}

bool Pattern::matches(std::string_view name) const {
  return regex_ ? regex_->matches(name) : glob_matches(text_, name);
}

}  // namespace ptsd::operation
