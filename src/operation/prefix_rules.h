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

inline constexpr std::size_t kNone = ~std::size_t{0};

// Which entries come to fit where.
struct Gain {
  std::vector<std::size_t> wanted_of;  // by entry: the number in the reference, or kNone
  std::vector<std::size_t> entry_of;   // by number in the reference: the entry, or kNone
  std::uint64_t count = 0;

  // Whether both put one entry in two places, or two entries in one.
  bool contradicts(const Gain& other) const;
};

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
  std::size_t wanted_count() const { return reference_.size(); }

  // What more would fit under these names; nothing where two would be one, or where one that fits
  // would not any more.
  std::optional<Gain> gain(const std::vector<std::string>& names) const;

 private:
  using Fitting = std::vector<std::size_t>;  // by number in the reference: the entry, or kNone

  std::optional<Fitting> fitting(const std::vector<std::string>& names) const;

  std::span<const StateEntry> checkpoint_;
  std::span<const StateEntry> reference_;
  std::unordered_map<std::string_view, std::size_t> wanted_;  // by name
  std::vector<std::string> names_;
  Fitting fits_;
};

// What could be done about prefixes.
struct PrefixChoice {
  std::optional<Suggestion> best = {};  // makes most names fit, and no other would do as well
  std::vector<Rivals> rivals = {};
  std::vector<bool> contested_entries;  // that rivals are about
  std::vector<bool> contested_wanted;
};
PrefixChoice choose_prefix_rule(const Naming& naming);

// What the names become by a rule.
std::vector<std::string> renamed(const Suggestion& rule, const std::vector<std::string>& names);

}  // namespace ptsd::operation
