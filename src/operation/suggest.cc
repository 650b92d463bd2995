// SPDX-License-Identifier: Apache-2.0
#include "operation/suggest.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/nearest.h"
#include "operation/prefix_rules.h"

namespace ptsd::operation {
namespace {

using Numbers = std::vector<std::size_t>;
using Text = std::string_view;

constexpr std::size_t kMostRules = 16;                        // for prefixes
constexpr std::uint64_t kMostSteps = std::uint64_t{1} << 28;  // in comparing names

// Names of one shape and dtype that look for one another.
struct Group {
  Numbers unexpected;
  Numbers missing;
};

using GroupKey = std::pair<tensor::DType, std::vector<std::int64_t>>;

std::map<GroupKey, Group> groups_of(const Naming& naming, const PrefixChoice& choice) {
  std::map<GroupKey, Group> groups;
  const auto group = [&](const StateEntry& entry) -> Group& {
    return groups[{
        entry.dtype, {entry.shape->begin(), entry.shape->end()}
    }];
  };
  const auto is_comparable = [](const StateEntry& entry, Text name) {
    return entry.shape && name.size() <= kLongestName;
  };
  for (const std::size_t i : naming.missing()) {
    const StateEntry& entry = naming.wanted(i);
    if (choice.contested_wanted[i]) continue;
    if (is_comparable(entry, entry.name)) group(entry).missing.push_back(i);
  }
  for (const std::size_t i : naming.unexpected()) {
    const StateEntry& entry = naming.entry(i);
    if (choice.contested_entries[i]) continue;
    if (is_comparable(entry, naming.names()[i])) group(entry).unexpected.push_back(i);
  }
  return groups;
}

// What both begin or end with does not count.
void trim_common(Text& a, Text& b) {
  const auto front = std::ranges::mismatch(a, b);
  const auto same = static_cast<std::size_t>(front.in1 - a.begin());
  a.remove_prefix(same);
  b.remove_prefix(same);
  while (!a.empty() && !b.empty() && a.back() == b.back()) {
    a.remove_suffix(1);
    b.remove_suffix(1);
  }
}

class Matcher {
 public:
  explicit Matcher(const Naming& naming) : naming_(naming) {}

  // Pairs that are each the other's only nearest; nothing where that would take too long.
  void match(const Group& group) {
    std::vector<Nearest> to_missing(group.unexpected.size());
    std::vector<Nearest> to_unexpected(group.missing.size());
    for (std::size_t i = 0; i < group.unexpected.size(); ++i) {
      for (std::size_t j = 0; j < group.missing.size(); ++j) {
        const auto distance = this->distance(naming_.names()[group.unexpected[i]],
                                             naming_.wanted(group.missing[j]).name);
        if (!distance) {
          complete_ = false;
          return;
        }
        to_missing[i].offer(*distance, j);
        to_unexpected[j].offer(*distance, i);
      }
    }
    const bool alone = group.unexpected.size() == 1 && group.missing.size() == 1;
    for (std::size_t i = 0; i < to_missing.size(); ++i) {
      const Nearest& nearest = to_missing[i];
      if (!nearest.unique || !to_unexpected[nearest.number].unique) continue;
      if (to_unexpected[nearest.number].number != i) continue;
      if (!alone && !is_near(nearest, group, i)) continue;
      pairs_.emplace_back(group.unexpected[i], group.missing[nearest.number]);
    }
  }

  bool complete() const { return complete_; }
  // Numbers of an unexpected and of a missing entry, in the order of the checkpoint.
  std::vector<std::pair<std::size_t, std::size_t>> take() {
    std::ranges::sort(pairs_);
    return std::move(pairs_);
  }

 private:
  struct Nearest {
    std::size_t distance = ~std::size_t{0};
    std::size_t number = 0;
    bool unique = false;

    void offer(std::size_t other, std::size_t number_of_other) {
      if (other == distance) unique = false;
      if (other >= distance) return;
      *this = {other, number_of_other, true};
    }
  };

  // Half of the name stays. Of names that have nothing in common, the nearest says nothing.
  bool is_near(const Nearest& nearest, const Group& group, std::size_t i) const {
    const std::size_t from = naming_.names()[group.unexpected[i]].size();
    const std::size_t to = naming_.wanted(group.missing[nearest.number]).name.size();
    return 2 * nearest.distance <= std::max(from, to);
  }

  std::optional<std::size_t> distance(Text a, Text b) {
    steps_ += a.size() + b.size() + 16;
    if (steps_ > kMostSteps) return std::nullopt;
    trim_common(a, b);
    steps_ += std::uint64_t{a.size()} * b.size();
    if (steps_ > kMostSteps) return std::nullopt;
    return edit_distance(a, b);
  }

  const Naming& naming_;
  std::uint64_t steps_ = 0;
  bool complete_ = true;
  std::vector<std::pair<std::size_t, std::size_t>> pairs_;
};

// "OLD=>NEW" is split at its first arrow.
bool can_be_typed(Text name) {
  return name.find("=>") == Text::npos;
}

// What rivals are about is left alone: single names would be the guess that was not made.
void suggest_names(Naming& naming, const PrefixChoice& choice, Suggestions& result) {
  const std::map<GroupKey, Group> groups = groups_of(naming, choice);
  std::vector<const Group*> order;
  for (const auto& [key, group] : groups) {
    if (!group.missing.empty() && !group.unexpected.empty()) order.push_back(&group);
  }
  std::ranges::stable_sort(order, {}, [](const Group* group) {
    return std::uint64_t{group->missing.size()} * group->unexpected.size();
  });
  Matcher matcher(naming);
  for (const Group* group : order) {
    matcher.match(*group);
  }
  result.complete = matcher.complete();
  std::vector<std::string> names = naming.names();
  for (const auto& [unexpected, missing] : matcher.take()) {
    const std::string to(naming.wanted(missing).name);
    if (!can_be_typed(names[unexpected])) continue;
    result.rules.push_back({Suggestion::Kind::Whole, names[unexpected], to, 1});
    names[unexpected] = to;
  }
  naming.set_names(std::move(names));
}

}  // namespace

Suggestions suggest(std::span<const StateEntry> checkpoint, std::span<const StateEntry> reference) {
  Suggestions result;
  Naming naming(checkpoint, reference);
  PrefixChoice choice = choose_prefix_rule(naming);
  while (choice.best && result.rules.size() < kMostRules) {
    naming.set_names(renamed(*choice.best, naming.names()));
    result.rules.push_back(std::move(*choice.best));
    choice = choose_prefix_rule(naming);
  }
  suggest_names(naming, choice, result);
  result.rivals = std::move(choice.rivals);
  result.names = naming.names();
  return result;
}

}  // namespace ptsd::operation
