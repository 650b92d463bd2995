// SPDX-License-Identifier: Apache-2.0
#include "operation/prefix_rules.h"

#include <algorithm>
#include <functional>
#include <map>
#include <tuple>
#include <unordered_set>
#include <utility>

#include "operation/fit.h"
#include "operation/rename_rules.h"

namespace ptsd::operation {
namespace {

using Names = std::vector<std::string>;
using Text = std::string_view;

constexpr std::size_t kMostSegments = 12;   // of a name, where prefixes are looked for
constexpr std::size_t kMostPartners = 8;    // with one ending; of more, none is told apart
constexpr std::size_t kMostCandidates = 8;  // that are tried out

// Calls `use` for the name and for what follows each of its first dots, the longest first, until
// that returns true.
template <class Use>
void each_ending(Text name, const Use& use) {
  if (name.size() > kLongestName) return;
  std::size_t at = 0;
  for (std::size_t i = 0; i < kMostSegments; ++i) {
    if (use(name.substr(at))) return;
    const std::size_t dot = name.find('.', at);
    if (dot == Text::npos) return;
    at = dot + 1;
  }
}

// The numbers of missing names by what they end with.
class Endings {
 public:
  explicit Endings(const Naming& naming) {
    for (const std::size_t number : naming.missing()) {
      each_ending(naming.wanted(number).name, [&](Text ending) {
        Partners& partners = partners_[ending];
        if (partners.size() <= kMostPartners) partners.push_back(number);
        return false;
      });
    }
  }

  using Partners = std::vector<std::size_t>;
  const Partners* find(Text ending) const {
    const auto found = partners_.find(ending);
    return found == partners_.end() ? nullptr : &found->second;
  }

 private:
  std::unordered_map<Text, Partners> partners_;
};

using Prefixes = std::pair<Text, Text>;  // in the checkpoint, in the reference

// How many names ask for a prefix to become another.
class Votes {
 public:
  // The same name but for these prefixes; also with one segment more, for where the rule would
  // reach too far.
  void add(Text name, Text wanted, Text ending) {
    const Prefixes prefixes = {name.substr(0, name.size() - ending.size()),
                               wanted.substr(0, wanted.size() - ending.size())};
    ++votes_[prefixes];
    const std::size_t dot = ending.find('.');
    if (dot == Text::npos) return;
    ++votes_[{name.substr(0, prefixes.first.size() + dot + 1),
              wanted.substr(0, prefixes.second.size() + dot + 1)}];
  }

  std::vector<Prefixes> leaders() const {
    std::vector<std::pair<Prefixes, std::uint64_t>> all(votes_.begin(), votes_.end());
    const std::size_t most = std::min(all.size(), kMostCandidates);
    const auto rank = [](const auto& vote) {
      const auto& [from, to] = vote.first;
      return std::tuple(~vote.second, from.size() + to.size(), vote.first);
    };
    std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(most), {}, rank);
    std::vector<Prefixes> leaders;
    for (std::size_t i = 0; i < most; ++i) {
      leaders.push_back(all[i].first);
    }
    return leaders;
  }

 private:
  std::map<Prefixes, std::uint64_t> votes_;
};

std::vector<Prefixes> candidates(const Naming& naming) {
  const Endings endings(naming);
  Votes votes;
  for (const std::size_t number : naming.unexpected()) {
    const std::string& name = naming.names()[number];
    each_ending(name, [&](Text ending) {
      const Endings::Partners* const partners = endings.find(ending);
      if (partners == nullptr) return false;
      if (partners->size() > kMostPartners) return true;
      bool voted = false;
      for (const std::size_t partner : *partners) {
        const StateEntry& wanted = naming.wanted(partner);
        if (!has_fitting_shape(naming.entry(number), wanted)) continue;
        votes.add(name, wanted.name, ending);
        voted = true;
      }
      return voted;
    });
  }
  return votes.leaders();
}

// The numbers in a prefix: "block_3.attn" has "3".
std::string numbers_in(Text prefix) {
  constexpr Text kDigits = "0123456789";
  std::string numbers;
  for (std::size_t end = 0, at; (at = prefix.find_first_of(kDigits, end)) != Text::npos;) {
    end = std::min(prefix.find_first_not_of(kDigits, at), prefix.size());
    numbers.append(prefix.substr(at, end - at)) += ' ';
  }
  return numbers;
}

// A rule, and what it would do.
struct Trial {
  Suggestion rule;
  Gain gain;
  bool keeps_numbers;  // of layers that are alike, the third becomes the third

  std::pair<std::uint64_t, bool> rank() const { return {gain.count, keeps_numbers}; }
};

// The best first.
std::vector<Trial> worthwhile_rules(const Naming& naming) {
  std::vector<Suggestion> rules;
  for (const auto& [from, to] : candidates(naming)) {
    rules.push_back({Suggestion::Kind::Prefix, std::string(from), std::string(to)});
  }
  rules.push_back({Suggestion::Kind::Unwrap});
  const bool one_missing = naming.missing().size() == 1;
  std::vector<Trial> trials;
  for (Suggestion& rule : rules) {
    std::optional<Gain> gain = naming.gain(renamed(rule, naming.names()));
    if (!gain) continue;
    rule.fixes = gain->count;
    // One name alone is better mapped as such, unless its prefix is all there is to it.
    const bool replaces = !rule.from.empty() && !rule.to.empty();
    const std::uint64_t least = replaces || !one_missing ? 2 : 1;
    if (rule.fixes < least) continue;
    const std::string numbers = numbers_in(rule.from);
    const bool keeps_numbers = !numbers.empty() && numbers == numbers_in(rule.to);
    trials.push_back({std::move(rule), std::move(*gain), keeps_numbers});
  }
  std::ranges::stable_sort(trials, std::greater(), &Trial::rank);
  return trials;
}

void mark_contested(const Trial& trial, PrefixChoice& choice) {
  for (std::size_t i = 0; i < trial.gain.wanted_of.size(); ++i) {
    if (trial.gain.wanted_of[i] == kNone) continue;
    choice.contested_entries[i] = true;
    choice.contested_wanted[trial.gain.wanted_of[i]] = true;
  }
}

// A rule that a better one contradicts is out, whether that one is taken or has rivals itself.
PrefixChoice choose(const Naming& naming, const std::vector<Trial>& trials) {
  PrefixChoice choice = {.contested_entries = std::vector<bool>(naming.names().size()),
                         .contested_wanted = std::vector<bool>(naming.wanted_count())};
  for (auto trial = trials.begin(); trial != trials.end(); ++trial) {
    const auto rivals_it = [&](const Trial& other) { return other.gain.contradicts(trial->gain); };
    if (std::any_of(trials.begin(), trial, rivals_it)) continue;
    Rivals rivals;
    for (auto other = trial + 1; other != trials.end() && other->rank() == trial->rank(); ++other) {
      if (!rivals_it(*other)) continue;
      rivals.push_back(other->rule);
      mark_contested(*other, choice);
    }
    if (rivals.empty()) {
      if (!choice.best) choice.best = trial->rule;
      continue;
    }
    rivals.insert(rivals.begin(), trial->rule);
    mark_contested(*trial, choice);
    choice.rivals.push_back(std::move(rivals));
  }
  return choice;
}

}  // namespace

Naming::Naming(std::span<const StateEntry> checkpoint, std::span<const StateEntry> reference)
    : checkpoint_(checkpoint), reference_(reference) {
  for (std::size_t i = 0; i < reference.size(); ++i) {
    wanted_.emplace(reference[i].name, i);
  }
  for (const StateEntry& entry : checkpoint) {
    names_.emplace_back(entry.name);
  }
  fits_ = fitting(names_).value_or(Fitting(reference_.size(), kNone));
}

void Naming::set_names(std::vector<std::string> names) {
  names_ = std::move(names);
  fits_ = fitting(names_).value_or(Fitting(reference_.size(), kNone));
}

std::vector<std::size_t> Naming::unexpected() const {
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    if (!wanted_.contains(names_[i])) numbers.push_back(i);
  }
  return numbers;
}

std::vector<std::size_t> Naming::missing() const {
  std::vector<bool> there(reference_.size());
  for (const std::string& name : names_) {
    if (const auto found = wanted_.find(name); found != wanted_.end()) there[found->second] = true;
  }
  std::vector<std::size_t> numbers;
  for (std::size_t i = 0; i < there.size(); ++i) {
    if (!there[i]) numbers.push_back(i);
  }
  return numbers;
}

std::optional<Naming::Fitting> Naming::fitting(const Names& names) const {
  Fitting fits(reference_.size(), kNone);
  std::unordered_set<Text> taken;
  taken.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!taken.insert(names[i]).second) return std::nullopt;
    const auto found = wanted_.find(names[i]);
    if (found == wanted_.end()) continue;
    if (has_fitting_shape(checkpoint_[i], reference_[found->second])) fits[found->second] = i;
  }
  return fits;
}

std::optional<Gain> Naming::gain(const Names& names) const {
  const std::optional<Fitting> after = fitting(names);
  if (!after) return std::nullopt;
  Gain gain = {.wanted_of = std::vector(names.size(), kNone),
               .entry_of = std::vector(fits_.size(), kNone)};
  for (std::size_t i = 0; i < fits_.size(); ++i) {
    const std::size_t entry = (*after)[i];
    if (fits_[i] != kNone && entry == kNone) return std::nullopt;
    if (fits_[i] != kNone || entry == kNone) continue;
    gain.wanted_of[entry] = i;
    gain.entry_of[i] = entry;
    ++gain.count;
  }
  return gain;
}

bool Gain::contradicts(const Gain& other) const {
  const auto differ = [](std::size_t mine, std::size_t others) {
    return mine != kNone && others != kNone && mine != others;
  };
  return std::ranges::mismatch(wanted_of, other.wanted_of, std::not_fn(differ)).in1 !=
             wanted_of.end() ||
         std::ranges::mismatch(entry_of, other.entry_of, std::not_fn(differ)).in1 != entry_of.end();
}

PrefixChoice choose_prefix_rule(const Naming& naming) {
  return choose(naming, worthwhile_rules(naming));
}

Names renamed(const Suggestion& rule, const Names& names) {
  RenameRule as_rule = UnwrapRule{};
  if (rule.kind == Suggestion::Kind::Prefix) as_rule = PrefixRule{rule.from, rule.to};
  if (rule.kind == Suggestion::Kind::Whole) as_rule = WholeRule{{{rule.from, rule.to}}};
  std::vector<RenameRules::Given> given;
  given.push_back({"", std::move(as_rule)});
  Names after = names;
  Names modules;
  RenameRules(std::move(given)).apply(after, modules);
  return after;
}

}  // namespace ptsd::operation
