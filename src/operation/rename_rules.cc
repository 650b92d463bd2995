// SPDX-License-Identifier: Apache-2.0
#include "operation/rename_rules.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include <fmt/format.h>

#include "base/error.h"
#include "base/nearest.h"
#include "base/quote.h"
#include "operation/name_parts.h"

namespace ptsd::operation {
namespace {

using Names = std::vector<std::string>;

// DataParallel and DistributedDataParallel, torch.compile, FSDP, activation checkpointing.
constexpr auto kWrappers = std::to_array<std::string_view>(
    {"module.", "_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."});

// What a name becomes; nothing for one that the rule does not match.

std::optional<std::string> renamed(const PrefixRule& rule, std::string_view name) {
  if (!name.starts_with(rule.from)) return std::nullopt;
  return rule.to + std::string(name.substr(rule.from.size()));
}

std::optional<std::string> renamed(const WholeRule& rule, std::string_view name) {
  const auto found = rule.names.find(name);
  if (found == rule.names.end()) return std::nullopt;
  return found->second;
}

std::optional<std::string> renamed(const RegexRule& rule, std::string_view name) {
  return rule.from.replace(name, rule.to);
}

std::optional<std::string> renamed(const UnwrapRule&, std::string_view name) {
  std::string out;
  for (std::size_t at = 0; at < name.size();) {
    // A segment begins here: the wrappers in front of it go.
    std::string_view rest = name.substr(at);
    for (bool again = true; again;) {
      again = false;
      for (const std::string_view wrapper : kWrappers) {
        if (!rest.starts_with(wrapper)) continue;
        rest.remove_prefix(wrapper.size());
        again = true;
      }
    }
    const std::size_t size = std::min(rest.find('.'), rest.size() - 1) + 1;
    out += rest.substr(0, rest.empty() ? 0 : size);
    at = name.size() - rest.size() + (rest.empty() ? 0 : size);
  }
  if (out == name) return std::nullopt;
  return out;
}

std::string_view module_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return name.substr(0, dot == std::string_view::npos ? 0 : dot);
}

// A module's path stands for the names "PATH.…" of what is in it; the root's for all. Where that
// prefix does not become one, there is no such module any more, and its entry stays as it was.
template <class Rule>
void rename_modules(const Rule& rule, Names& modules, const Names&, const Names&) {
  for (std::string& module : modules) {
    const std::optional<std::string> prefix = renamed(rule, module.empty() ? "" : module + ".");
    if (!prefix) continue;
    if (prefix->empty()) {
      module.clear();
    } else if (prefix->ends_with('.')) {
      module = prefix->substr(0, prefix->size() - 1);
    }
  }
}

// Whole names tell of a module only together: it moves when all its entries move, alike.
void rename_modules(const WholeRule&, Names& modules, const Names& before, const Names& after) {
  std::unordered_map<std::string_view, std::optional<std::string_view>> moved;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const std::string_view from = module_of(before[i]);
    const std::string_view to = module_of(after[i]);
    const bool same_entry = std::string_view(before[i]).substr(from.size()) ==
                            std::string_view(after[i]).substr(to.size());
    const std::optional<std::string_view> target = same_entry ? std::optional(to) : std::nullopt;
    const auto [found, added] = moved.try_emplace(from, target);
    if (!added && found->second != target) found->second.reset();
  }
  for (std::string& module : modules) {
    const auto found = moved.find(module);
    if (module.empty() || found == moved.end() || !found->second) continue;
    module = std::string(*found->second);
  }
}

}  // namespace

std::pair<std::string, std::string> parse_arrow(std::string_view option, std::string_view text) {
  constexpr std::string_view kArrow = "=>";
  const std::size_t arrow = text.find(kArrow);
  if (arrow == std::string_view::npos) {
    fail_usage(fmt::format("{}: {} is not of the form 'OLD=>NEW'", option, quote(text)));
  }
  return {std::string(text.substr(0, arrow)), std::string(text.substr(arrow + kArrow.size()))};
}

RenameRules::RenameRules(std::vector<Given> rules)
    : rules_(std::move(rules)), met_(rules_.size()), offered_(rules_.size()) {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    if (const auto* whole = std::get_if<WholeRule>(&rules_[i].rule)) {
      for (const auto& [from, to] : whole->names) {
        met_[i].emplace(from, false);
      }
    } else {
      met_[i].emplace("", false);
    }
  }
}

void RenameRules::apply(std::vector<std::string>& names, std::vector<std::string>& modules) {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    apply(i, names, modules);
  }
}

void RenameRules::apply(std::size_t number, Names& names, Names& modules) {
  const bool whole = std::holds_alternative<WholeRule>(rules_[number].rule);
  Names after = names;
  std::visit(
      [&](const auto& rule) {
        for (std::size_t i = 0; i < names.size(); ++i) {
          std::optional<std::string> name = renamed(rule, names[i]);
          if (!name) continue;
          met_[number].find(whole ? names[i] : "")->second = true;
          after[i] = std::move(*name);
        }
        rename_modules(rule, modules, names, after);
      },
      rules_[number].rule);
  const bool unmet = std::ranges::any_of(met_[number], [](const auto& met) { return !met.second; });
  if (unmet) offered_[number].insert(offered_[number].end(), names.begin(), names.end());
  names = std::move(after);
}

void RenameRules::fail(std::size_t number, const std::string& text) const {
  const Names& offered = offered_[number];
  std::string hint;
  if (std::holds_alternative<PrefixRule>(rules_[number].rule)) {
    const std::vector<std::string_view> names(offered.begin(), offered.end());
    hint = did_you_mean(text, name_beginnings(names));
  } else if (std::holds_alternative<WholeRule>(rules_[number].rule)) {
    hint = did_you_mean(text, offered);
  }
  fail_usage(fmt::format("{}{} matches nothing{}", rules_[number].option,
                         text.empty() ? "" : " " + quote(text), hint));
}

void RenameRules::require_matches() const {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    for (const auto& [name, met] : met_[i]) {
      if (met) continue;
      const auto* prefix = std::get_if<PrefixRule>(&rules_[i].rule);
      const auto* regex = std::get_if<RegexRule>(&rules_[i].rule);
      fail(i, prefix != nullptr ? prefix->from : regex != nullptr ? regex->from.source() : name);
    }
  }
}

}  // namespace ptsd::operation
