// SPDX-License-Identifier: Apache-2.0
#include "operation/fit.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <unordered_map>

#include <fmt/format.h>

#include "base/quote.h"
#include "checkpoint/mapping.h"
#include "checkpoint/value.h"
#include "operation/load_refusal.h"
#include "operation/module_tree.h"

namespace ptsd::operation {

using checkpoint::Pair;
using pickle::NodeId;

namespace {

using Entries = std::vector<StateEntry>;

constexpr std::string_view kExtraState = "_extra_state";

std::string_view module_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return name.substr(0, dot == std::string_view::npos ? 0 : dot);
}

std::string_view last_of(std::string_view name) {
  return name.substr(name.rfind('.') + 1);
}

// An extra state is whatever its module makes of it.
bool is_extra_state(const StateEntry& entry) {
  return last_of(entry.name) == kExtraState;
}

// A size that only the payload tells.
bool has_open_size(tensor::Dims shape) {
  return std::ranges::any_of(shape, [](std::int64_t size) { return size < 0; });
}

// What _metadata says of the modules: their paths in order, and their versions.
class Metadata {
 public:
  explicit Metadata(const StateDictOf& of) : graph_(of.checkpoint.graph()) {
    const checkpoint::Names& names = of.checkpoint.names();
    const auto node = attribute(names, of.state_dict.node, "_metadata");
    const auto pairs = node ? pairs_of(names, *node) : std::nullopt;
    if (!pairs) return;
    for (const Pair& pair : *pairs) {
      if (!checkpoint::is_text(graph_, pair.key)) continue;
      paths_.push_back(graph_.text(pair.key));
      versions_[paths_.back()] = version_in(names, pair.value);
    }
  }

  const std::vector<std::string_view>& paths() const { return paths_; }

  bool is_before(std::string_view module, std::int64_t version) const {
    const auto found = versions_.find(module);
    if (found == versions_.end() || !found->second) return true;
    const NodeId node = *found->second;
    if (graph_.kind(node) == pickle::Kind::None) return true;
    return graph_.kind(node) == pickle::Kind::Int && graph_.int_value(node) < version;
  }

 private:
  // Modules may share what is said of them, so that it is looked through once.
  std::optional<NodeId> version_in(const checkpoint::Names& names, NodeId local) {
    const auto [found, added] = seen_.try_emplace(local);
    if (!added) return found->second;
    const auto pairs = pairs_of(names, local);
    if (pairs) found->second = value_at(graph_, *pairs, "version");
    return found->second;
  }

  const pickle::Graph& graph_;
  std::unordered_map<NodeId, std::optional<NodeId>> seen_;
  std::vector<std::string_view> paths_;
  std::unordered_map<std::string_view, std::optional<NodeId>> versions_;
};

using Numbers = std::unordered_map<std::string_view, std::size_t>;

Numbers number(const Entries& entries) {
  Numbers numbers;
  numbers.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    numbers.emplace(entries[i].name, i);
  }
  return numbers;
}

class Fitter {
 public:
  Fitter(const StateDictOf& given, const StateDictOf& reference)
      : given_of_(given),
        reference_of_(reference),
        given_(state_entries(given.checkpoint, given.state_dict)),
        reference_(state_entries(reference.checkpoint, reference.state_dict)),
        given_numbers_(number(given_)),
        reference_numbers_(number(reference_)),
        versions_(given) {
    // Modules without entries are known from _metadata alone.
    const Metadata metadata(reference);
    for (const std::string_view path : metadata.paths()) {
      modules_.add(path);
    }
    for (const StateEntry& entry : reference_) {
      modules_.add(module_of(entry.name));
    }
  }

  Fit fit() {
    const std::vector<std::uint32_t> ranks = modules_.ranks();
    for (const StateEntry* entry : in_order(reference_, ranks, false)) {
      check(*entry);
    }
    for (const StateEntry* entry : in_order(given_, ranks, true)) {
      if (!reference_numbers_.contains(entry->name)) result_.unexpected.push_back(entry->name);
    }
    return std::move(result_);
  }

 private:
  // Module by module; within one as in the state dict, but an extra state comes after what is
  // expected, and before what is not.
  std::vector<const StateEntry*> in_order(const Entries& entries,
                                          const std::vector<std::uint32_t>& ranks,
                                          bool extra_first) const {
    std::vector<std::tuple<std::uint32_t, bool, std::size_t>> order;
    order.reserve(entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const ModuleTree::Place place = modules_.place(entries[i].name);
      order.emplace_back(ranks[place.module], (place.rest == kExtraState) != extra_first, i);
    }
    std::ranges::sort(order);
    std::vector<const StateEntry*> sorted;
    sorted.reserve(order.size());
    for (const auto& [rank, extra, i] : order) {
      sorted.push_back(&entries[i]);
    }
    return sorted;
  }

  // BatchNorm before its version 2 had no count of batches, and loads without one.
  bool is_made_up(const StateEntry& wanted) const {
    if (last_of(wanted.name) != "num_batches_tracked") return false;
    const std::string_view module = module_of(wanted.name);
    const auto has = [&](std::string_view last) {
      const std::string path(
          wanted.name.substr(0, wanted.name.size() - last_of(wanted.name).size()));
      return reference_numbers_.contains(path + std::string(last));
    };
    return has("running_mean") && has("running_var") && versions_.is_before(module, 2);
  }

  void check(const StateEntry& wanted) {
    const bool by_name = is_extra_state(wanted) || !wanted.shape || has_open_size(*wanted.shape);
    if (by_name && !is_extra_state(wanted)) result_.name_only.push_back(wanted.name);
    const auto found = given_numbers_.find(wanted.name);
    if (found == given_numbers_.end()) {
      if (!is_made_up(wanted)) result_.missing.push_back(wanted.name);
    } else if (!by_name) {
      compare(given_[found->second], wanted);
    }
  }

  void compare(const StateEntry& entry, const StateEntry& wanted) {
    using Kind = LoadError::Kind;
    const checkpoint::Checkpoint& checkpoint = given_of_.checkpoint;
    if (!entry.shape) {
      result_.errors.push_back({.kind = Kind::NoTensor,
                                .name = entry.name,
                                .what = class_of(checkpoint.names(), entry.value)});
      return;
    }
    if (has_open_size(*entry.shape)) {
      checkpoint.fail_at(
          entry.value, Error::Kind::Unsupported,
          fmt::format("{} is a nested tensor, which load_state_dict cannot compare with the shape "
                      "of another",
                      quote(entry.name)));
    }
    if (!has_fitting_shape(entry, wanted)) {
      result_.errors.push_back({Kind::Size, entry.name, *entry.shape, *wanted.shape});
    } else if (auto refusal = copy_refusal({checkpoint, entry.value},
                                           {reference_of_.checkpoint, wanted.value})) {
      // Of a tensor with one element, the element is copied.
      const tensor::Dims shape = wanted.shape->empty() ? *wanted.shape : *entry.shape;
      result_.errors.push_back({Kind::Copy, entry.name, shape, *wanted.shape, std::move(*refusal)});
    } else if (entry.dtype != wanted.dtype) {
      result_.other_dtypes.push_back(entry.name);
    }
  }

  const StateDictOf& given_of_;
  const StateDictOf& reference_of_;
  Entries given_;
  Entries reference_;
  Numbers given_numbers_;
  Numbers reference_numbers_;
  Metadata versions_;
  ModuleTree modules_;
  Fit result_;
};

}  // namespace

Fit fit(const StateDictOf& checkpoint, const StateDictOf& reference) {
  return Fitter(checkpoint, reference).fit();
}

bool has_fitting_shape(const StateEntry& entry, const StateEntry& reference) {
  if (is_extra_state(reference) || !reference.shape || has_open_size(*reference.shape)) return true;
  if (!entry.shape) return false;
  // 0.3 had no tensors without dimensions.
  const bool one_element = entry.shape->size() == 1 && entry.shape->front() == 1;
  return (reference.shape->empty() && one_element) ||
         std::ranges::equal(*entry.shape, *reference.shape);
}

}  // namespace ptsd::operation
