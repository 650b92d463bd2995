// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "operation/state_entries.h"
#include "operation/suggestion.h"

namespace ptsd::operation {

inline constexpr std::size_t kLongestName = 1024;  // bytes of a name that is compared

// How the entries of a checkpoint are called, and which of them fit into a reference.
class Naming {
 public:
  Naming(std::span<const StateEntry> checkpoint, std::span<const StateEntry> reference);

  const std::vector<std::string>& names() const { return names_; }
  void set_names(std::vector<std::string> names);

  // Entries of the checkpoint whose names the reference does not have, and the other way round.
  std::vector<std::size_t> unexpected() const;
  std::vector<std::size_t> missing() const;
  const StateEntry& entry(std::size_t number) const { return checkpoint_[number]; }
  const StateEntry& wanted(std::size_t number) const { return reference_[number]; }

  // How many more names would fit under these; nothing where two would be one, or where one that
  // fits would not any more.
  std::optional<std::uint64_t> gain(const std::vector<std::string>& names) const;

 private:
  using Fitting = std::vector<bool>;  // by number in the reference

  std::optional<Fitting> fitting(const std::vector<std::string>& names) const;

  std::span<const StateEntry> checkpoint_;
  std::span<const StateEntry> reference_;
  std::unordered_map<std::string_view, std::size_t> wanted_;  // by name
  std::vector<std::string> names_;
  Fitting fits_;
};

// The rule for prefixes that makes most names fit, if there is one worth it, with what it fixes.
std::optional<Suggestion> best_prefix_rule(const Naming& naming);

// What the names become by a rule.
std::vector<std::string> renamed(const Suggestion& rule, const std::vector<std::string>& names);

}  // namespace ptsd::operation
