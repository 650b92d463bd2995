// SPDX-License-Identifier: Apache-2.0
#include "operation/selection.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/quote.h"
#include "operation/name_parts.h"

namespace ptsd::operation {

using checkpoint::Tensor;
using checkpoint::Tensors;

namespace {

// Whether any pattern matches; each that does is noted.
bool any_match(const std::vector<Pattern>& patterns, std::vector<bool>& met,
               std::string_view name) {
  bool found = false;
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    // Once a rule is known to match something, one match for this name is enough.
    if (found && met[i]) continue;
    if (!patterns[i].matches(name)) continue;
    met[i] = true;
    found = true;
  }
  return found;
}

bool shape_matches(const std::vector<std::optional<std::int64_t>>& wanted, tensor::Dims shape) {
  return std::ranges::equal(
      wanted, shape, [](const auto& want, std::int64_t size) { return !want || *want == size; });
}

// The names nearest to a rule that matched nothing; for a glob, the glob nearest to it.
std::string hint(std::string_view rule, const Selection::NamesOf& names_of) {
  const std::size_t first = rule.find_first_of("*?[");
  if (rule.starts_with("re:")) return "";
  if (first == std::string_view::npos) {
    const std::vector<std::string_view> names = names_of();
    return did_you_mean(rule, std::vector<std::string>(names.begin(), names.end()));
  }
  const bool by_beginning = first > 0;
  const std::string_view literal =
      by_beginning ? rule.substr(0, first) : rule.substr(rule.find_last_of("*?]") + 1);
  const std::vector<std::string_view> names = names_of();
  const auto part = nearest(literal, by_beginning ? name_beginnings(names) : name_endings(names));
  if (!part || *part == literal) return "";
  return fmt::format("; did you mean {}?", quote(by_beginning ? *part + "*" : "*" + *part));
}

}  // namespace

std::vector<std::optional<std::int64_t>> parse_shape(std::string_view text) {
  std::vector<std::optional<std::int64_t>> sizes;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    if (part == "*") {
      sizes.push_back(std::nullopt);
      continue;
    }
    std::int64_t size = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), size);
    if (error != std::errc() || end != part.data() + part.size() || size < 0) {
      fail_usage(fmt::format("--shape: {} is neither a size nor *", quote(part)));
    }
    sizes.push_back(size);
  }
  return sizes;
}

Selection::Selection(SelectionRules rules)
    : rules_(std::move(rules)),
      include_met_(rules_.include.size()),
      exclude_met_(rules_.exclude.size()),
      dtype_met_(rules_.dtypes.size()) {
  for (const std::string& name : rules_.names) {
    names_.emplace(name, false);
  }
}

bool Selection::selects_name(std::string_view name) {
  bool selected = rules_.include.empty() && names_.empty();
  if (const auto found = names_.find(name); found != names_.end()) {
    found->second = true;
    selected = true;
  }
  if (any_match(rules_.include, include_met_, name)) selected = true;
  return !any_match(rules_.exclude, exclude_met_, name) && selected;
}

bool Selection::selects_tensor(const Tensors& tensors, const Tensor& tensor) {
  if (!rules_.dtypes.empty()) {
    const auto found = std::ranges::find(rules_.dtypes, tensor.dtype);
    if (found == rules_.dtypes.end()) return false;
    dtype_met_[static_cast<std::size_t>(found - rules_.dtypes.begin())] = true;
  }
  if (!rules_.shape) return true;
  if (!shape_matches(*rules_.shape, tensors.shape(tensor))) return false;
  shape_met_ = true;
  return true;
}

bool Selection::selects(const checkpoint::Checkpoint& checkpoint, const checkpoint::Entry& entry) {
  if (rules_.empty()) return true;
  if (!selects_name(entry.path)) return false;
  if (!entry.tensor) return rules_.dtypes.empty() && !rules_.shape;
  return selects_tensor(checkpoint.tensors(), checkpoint.tensors()[*entry.tensor]);
}

void Selection::require_matches(const NamesOf& names_of) const {
  if (rules_.allow_unmatched) return;
  const auto require = [&](bool met, std::string_view rule, std::string_view text) {
    if (!met) {
      fail_usage(fmt::format("{} {} matches nothing{}", rule, quote(text), hint(text, names_of)));
    }
  };
  for (std::size_t i = 0; i < include_met_.size(); ++i) {
    require(include_met_[i], "--include", rules_.include[i].text());
  }
  for (std::size_t i = 0; i < exclude_met_.size(); ++i) {
    require(exclude_met_[i], "--exclude", rules_.exclude[i].text());
  }
  for (const std::string& name : rules_.names) {
    require(names_.at(name), "--names-from: the name", name);
  }
  for (std::size_t i = 0; i < dtype_met_.size(); ++i) {
    require(dtype_met_[i], "--dtype", tensor::name(rules_.dtypes[i]));
  }
  if (rules_.shape) require(shape_met_, "--shape", "given");
}

}  // namespace ptsd::operation
