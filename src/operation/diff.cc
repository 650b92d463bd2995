// SPDX-License-Identifier: Apache-2.0
#include "operation/diff.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "checkpoint/children.h"
#include "checkpoint/value.h"
#include "operation/compare_pass.h"
#include "operation/same_elements.h"
#include "operation/same_keys.h"
#include "operation/same_value.h"
#include "operation/state_attributes.h"
#include "operation/tensor_opener.h"
#include "tensor/compare.h"
#include "tensor/promote.h"

namespace ptsd::operation {

using checkpoint::Checkpoint;
using checkpoint::StorageId;
using checkpoint::Tensor;
using checkpoint::TensorId;
using checkpoint::TensorKind;
using checkpoint::Tensors;
using Kind = DiffEntry::Kind;

namespace {

bool is_strided(const Tensor& tensor) {
  return tensor.kind == TensorKind::Tensor || tensor.kind == TensorKind::Parameter;
}

// Shape, dtype and components say all that counts of it, whichever torch wrote it. A quantised
// tensor has its quantiser, too, and one of a subclass whatever its class makes of it.
bool is_sum_of_parts(const Tensor& tensor) {
  return tensor.kind == TensorKind::Sparse || tensor.kind == TensorKind::Nested ||
         tensor.kind == TensorKind::Meta;
}

const checkpoint::TensorExtra& extra_of(const Tensors& tensors, const Tensor& tensor) {
  static const checkpoint::TensorExtra none;
  const checkpoint::TensorExtra* const extra = tensors.extra(tensor);
  return extra == nullptr ? none : *extra;
}

// Whether what has this role is numbers, which tolerances and --ignore-dtype are for, or indices
// and sizes.
bool is_numbers(const checkpoint::Component& part) {
  return part.role == "values" || part.role == "buffer";
}

// A pair of tensors while its elements are compared.
struct Comparison {
  TensorChange change;
  std::vector<std::size_t> results = {};  // of passes
};

// The path of the first entry whose tensor lies in the same storage.
class FirstUsers {
 public:
  FirstUsers(const Checkpoint& checkpoint, const DiffEntries& entries) {
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (!entries[i].tensor) continue;
      const Tensor& tensor = checkpoint.tensors()[*entries[i].tensor];
      if (tensor.storage) paths_.emplace(*tensor.storage, entries[i].path);
    }
  }

  std::string_view of(const Tensor& tensor) const {
    return tensor.storage ? paths_.at(*tensor.storage) : std::string_view();
  }

 private:
  std::unordered_map<StorageId, std::string_view> paths_;
};

class Differ {
 public:
  Differ(const DiffSide& a, const DiffSide& b, const DiffOptions& options)
      : a_(a),
        b_(b),
        options_(options),
        diff_(a, b),
        runner_(options.threads),
        opener_a_(a.payload, runner_),
        opener_b_(b.payload, runner_) {}

  Diff run() {
    match();
    if (!options_.keys_only && !is_decided()) compare_values();
    if (!options_.keys_only && !is_decided()) compare_tensors();
    return std::move(diff_);
  }

 private:
  bool is_decided() const { return options_.first_only && (stop_ || !diff_.equal()); }

  bool takes_part(const Checkpoint& checkpoint, const DiffEntry& entry) const {
    if (!options_.selects) return true;
    return entry.kind != Kind::Container &&
           options_.selects(checkpoint, {entry.path, entry.node, entry.tensor});
  }

  // Pairs in the order of A. The roots are one, whatever is below them: the empty path is also that
  // of a key "". Where a path stands several times (in a forged module), the first is paired with
  // the first, and so on. A pair takes part if one of the two does.
  void match() {
    std::unordered_map<std::string_view, std::uint32_t> by_path;  // the first that is not paired
    std::vector<std::uint32_t> next(diff_.entries_b.size());      // 0: there is no other
    for (auto i = static_cast<std::uint32_t>(diff_.entries_b.size() - 1); i > 0; --i) {
      next[i] = std::exchange(by_path[diff_.entries_b[i].path], i);
    }
    note_if_selected(0, 0);
    const StateAttributes attributes_a(diff_.entries_a);
    const StateAttributes attributes_b(diff_.entries_b);
    std::vector<bool> met(diff_.entries_b.size());
    met[0] = true;
    for (std::uint32_t i = 1; i < diff_.entries_a.size(); ++i) {
      const DiffEntry& entry = diff_.entries_a[i];
      const auto found = by_path.find(entry.path);
      if (found == by_path.end() || found->second == 0) {
        if (takes_part(a_.payload.checkpoint, entry)) {
          note_missing(attributes_b.lacks(entry.path) ? diff_.apart_a : diff_.only_a, entry, i);
        }
        continue;
      }
      note_if_selected(i, found->second);
      met[found->second] = true;
      found->second = next[found->second];
    }
    for (std::uint32_t i = 0; i < diff_.entries_b.size(); ++i) {
      const DiffEntry& entry = diff_.entries_b[i];
      if (met[i] || !takes_part(b_.payload.checkpoint, entry)) continue;
      note_missing(attributes_a.lacks(entry.path) ? diff_.apart_b : diff_.only_b, entry, i);
    }
  }

  void note_if_selected(std::uint32_t a, std::uint32_t b) {
    if (takes_part(a_.payload.checkpoint, diff_.entries_a[a]) ||
        takes_part(b_.payload.checkpoint, diff_.entries_b[b])) {
      note_pair(a, b);
    }
  }

  // What a container holds has entries of its own.
  void note_missing(std::vector<std::uint32_t>& missing, const DiffEntry& entry,
                    std::uint32_t number) const {
    if (!options_.ignore_missing && entry.is_leaf) missing.push_back(number);
  }

  void note_pair(std::uint32_t a, std::uint32_t b) {
    const DiffEntry& left = diff_.entries_a[a];
    const DiffEntry& right = diff_.entries_b[b];
    if (left.tensor && right.tensor) {
      tensors_.push_back({a, b});
    } else {
      values_.push_back({a, b});
    }
    if (options_.keys_only && left.is_leaf) ++diff_.same;
  }

  // A few bytes can name one large value a million times: each pair of objects is compared once.
  void compare_values() {
    std::map<std::pair<pickle::NodeId, pickle::NodeId>, bool> met;
    for (const auto& [a, b] : values_) {
      const DiffEntry& left = diff_.entries_a[a];
      const DiffEntry& right = diff_.entries_b[b];
      const auto [same, is_first] = met.try_emplace({left.node, right.node});
      if (is_first) same->second = same_value(left, right);
      if (!same->second) {
        diff_.other_changed.push_back({a, b});
        if (options_.first_only) return;
      } else if (left.is_leaf) {
        ++diff_.same;
      }
    }
  }

  // A dict is a dict, whatever class it has in Python's collections.
  static std::string type_of(const Checkpoint& checkpoint, const DiffEntry& entry) {
    constexpr auto kDicts =
        std::to_array<std::string_view>({"OrderedDict", "defaultdict", "Counter"});
    std::string type = checkpoint::type_of(checkpoint.names(), entry.node);
    if (std::ranges::find(kDicts, type) != kDicts.end()) type = "dict";
    return type;
  }

  // Of two deques or two defaultdicts: other dicts have none.
  static bool same_setting(const ValueOf& a, const ValueOf& b) {
    const checkpoint::Names& left = a.checkpoint.names();
    const checkpoint::Names& right = b.checkpoint.names();
    if (left.maker(a.node).what != right.maker(b.node).what) return true;
    const auto mine = setting_of(left, a.node);
    const auto other = setting_of(right, b.node);
    if (!mine || !other) return mine.has_value() == other.has_value();
    return operation::same_structure(
        {a.checkpoint, mine->value, 0}, {b.checkpoint, other->value, 1},
        {[](TensorId, TensorId) { return PayloadPairs::Verdict::Same; },
         [](StorageId, StorageId) { return true; }});
  }

  bool same_value(const DiffEntry& a, const DiffEntry& b) const {
    if (a.tensor || b.tensor) return false;
    const Checkpoint& left = a_.payload.checkpoint;
    const Checkpoint& right = b_.payload.checkpoint;
    if (a.kind == Kind::Container || b.kind == Kind::Container) {
      return type_of(left, a) == type_of(right, b) &&
             same_keys({left, a.node, 0}, {right, b.node, 1}) &&
             same_setting({left, a.node, 0}, {right, b.node, 1});
    }
    return operation::same_value({left, a.node, 0}, {right, b.node, 1},
                                 [this](std::size_t input, StorageId storage) {
                                   return (input == 0 ? a_ : b_).payload.open(storage);
                                 });
  }

  void compare_tensors() {
    if (options_.strict_layout) {
      users_a_ = std::make_unique<FirstUsers>(a_.payload.checkpoint, diff_.entries_a);
      users_b_ = std::make_unique<FirstUsers>(b_.payload.checkpoint, diff_.entries_b);
    }
    std::vector<Comparison> comparisons;
    std::map<std::pair<TensorId, TensorId>, std::size_t> met;
    for (const auto& [a, b] : tensors_) {
      const std::pair<TensorId, TensorId> ids = {*diff_.entries_a[a].tensor,
                                                 *diff_.entries_b[b].tensor};
      const auto [known, is_first] = met.emplace(ids, comparisons.size());
      if (is_first) {
        comparisons.push_back(begin(a, b));
      } else {  // the same two objects under other names
        comparisons.push_back(comparisons[known->second]);
        comparisons.back().change.a = a;
        comparisons.back().change.b = b;
      }
      if (options_.first_only && (stop_ || !comparisons.back().change.aspects.empty())) break;
    }
    runner_.flush();
    for (Comparison& comparison : comparisons) {
      finish(std::move(comparison));
    }
  }

  Comparison begin(std::uint32_t a, std::uint32_t b) {
    const TensorId left_id = *diff_.entries_a[a].tensor;
    const TensorId right_id = *diff_.entries_b[b].tensor;
    const Tensor& left = a_.payload.checkpoint.tensors()[left_id];
    const Tensor& right = b_.payload.checkpoint.tensors()[right_id];
    Comparison comparison = {
        .change = {.a = a, .b = b}
    };
    std::vector<Aspect>& aspects = comparison.change.aspects;
    compare_form(left, right, aspects);
    if (options_.strict_layout) compare_layout(left, right, aspects);
    const bool comparable = std::ranges::none_of(aspects, [](Aspect aspect) {
      return aspect == Aspect::Kind || aspect == Aspect::Layout || aspect == Aspect::DType ||
             aspect == Aspect::Shape;
    });
    if (!comparable) return comparison;
    if (is_strided(left)) {
      comparison.change.has_index = true;
      compare_elements(left, right, false, comparison);
    } else if (!is_sum_of_parts(left) || !compare_components(left, right, comparison)) {
      compare_parts(left_id, right_id, comparison);
    }
    return comparison;
  }

  void compare_form(const Tensor& a, const Tensor& b, std::vector<Aspect>& aspects) const {
    const bool same_kind = a.kind == b.kind || (is_strided(a) && is_strided(b));
    if (!same_kind) aspects.push_back(Aspect::Kind);
    const checkpoint::TensorExtra& left = extra_of(a_.payload.checkpoint.tensors(), a);
    const checkpoint::TensorExtra& right = extra_of(b_.payload.checkpoint.tensors(), b);
    if (same_kind && left.layout != right.layout) aspects.push_back(Aspect::Layout);
    const bool of_numbers = is_strided(a) || is_sum_of_parts(a);
    if (!(of_numbers && same_kind && same_dtype(a, b))) {
      if (a.dtype != b.dtype) aspects.push_back(Aspect::DType);
    }
    if (!std::ranges::equal(a_.payload.checkpoint.tensors().shape(a),
                            b_.payload.checkpoint.tensors().shape(b))) {
      aspects.push_back(Aspect::Shape);
    }
    // Before 2.0 torch did not say.
    if (left.coalesced && right.coalesced && *left.coalesced != *right.coalesced) {
      aspects.push_back(Aspect::Coalesced);
    }
  }

  // Or one that holds both, if the dtype does not count.
  bool same_dtype(const Tensor& a, const Tensor& b) const {
    return a.dtype == b.dtype ||
           (options_.ignore_dtype && tensor::promote(a.dtype, b.dtype).has_value());
  }

  void compare_layout(const Tensor& a, const Tensor& b, std::vector<Aspect>& aspects) const {
    const Checkpoint& left = a_.payload.checkpoint;
    const Checkpoint& right = b_.payload.checkpoint;
    if (a.kind != b.kind && is_strided(a) && is_strided(b)) aspects.push_back(Aspect::Kind);
    if (device_of(left.tensors(), left.graph(), a) !=
        device_of(right.tensors(), right.graph(), b)) {
      aspects.push_back(Aspect::Device);
    }
    if (a.requires_grad != b.requires_grad) aspects.push_back(Aspect::RequiresGrad);
    if (!std::ranges::equal(left.tensors().stride(a), right.tensors().stride(b))) {
      aspects.push_back(Aspect::Stride);
    }
    if (users_a_->of(a) != users_b_->of(b)) aspects.push_back(Aspect::Sharing);
  }

  void compare_elements(const Tensor& a, const Tensor& b, bool exactly, Comparison& comparison) {
    comparison.change.compared += a_.payload.checkpoint.tensors().element_count(a);
    if (!a.storage || !b.storage) return;
    ComparePlan plan = {.dtype = *tensor::promote(a.dtype, b.dtype), .rules = options_.rules};
    if (options_.close) plan.rules.tolerance = tensor::default_tolerance(a.dtype, b.dtype);
    if (exactly) plan.rules.tolerance = {};
    if (options_.first_only) plan.stop = &stop_;
    comparison.results.push_back(results_.size());
    results_.emplace_back();
    TensorElements left = opener_a_.open(a);
    TensorElements right = opener_b_.open(b);
    runner_.add(compare_pass(std::move(left), std::move(right), plan, results_.back()));
  }

  // Returns whether it could: components may be made of others in turn.
  bool compare_components(const Tensor& a, const Tensor& b, Comparison& comparison) {
    const Tensors& left = a_.payload.checkpoint.tensors();
    const Tensors& right = b_.payload.checkpoint.tensors();
    const std::vector<checkpoint::Component>& mine = extra_of(left, a).components;
    const std::vector<checkpoint::Component>& others = extra_of(right, b).components;
    const auto is_part = [](const Tensor& part) {
      return is_strided(part) || part.kind == TensorKind::Meta;
    };
    if (mine.size() != others.size()) return false;
    for (std::size_t i = 0; i < mine.size(); ++i) {
      if (mine[i].role != others[i].role || !is_part(left[mine[i].tensor]) ||
          !is_part(right[others[i].tensor])) {
        return false;
      }
    }
    for (std::size_t i = 0; i < mine.size(); ++i) {
      const Tensor& part = left[mine[i].tensor];
      const Tensor& other = right[others[i].tensor];
      if (same_dtype(part, other) && std::ranges::equal(left.shape(part), right.shape(other))) {
        compare_elements(part, other, !is_numbers(mine[i]), comparison);
      } else {
        comparison.change.aspects.push_back(Aspect::Values);
        comparison.results.clear();
        return true;
      }
    }
    return true;
  }

  // Adds what tolerances are not for: indices and sizes, and all of a quantised tensor.
  static void add_exact_parts(const Checkpoint& checkpoint, TensorId id,
                              std::set<TensorId>& exact) {
    const Tensor& tensor = checkpoint.tensors()[id];
    const bool quantized = tensor.kind == TensorKind::Quantized;
    if (quantized) exact.insert(id);
    const checkpoint::TensorExtra* const extra = checkpoint.tensors().extra(tensor);
    if (extra == nullptr) return;
    for (const checkpoint::Component& part : extra->components) {
      if (quantized || !is_numbers(part)) exact.insert(part.tensor);
    }
  }

  // What a quantised tensor, or one of a subclass, is made from.
  void compare_parts(TensorId a, TensorId b, Comparison& comparison) {
    const Checkpoint& left = a_.payload.checkpoint;
    const Checkpoint& right = b_.payload.checkpoint;
    std::set<TensorId> exact;
    std::set<StorageId> shown;
    const auto tensors = [&](TensorId x, TensorId y) {
      const Tensor& mine = left.tensors()[x];
      const Tensor& other = right.tensors()[y];
      const bool alike =
          mine.kind == other.kind && mine.dtype == other.dtype &&
          std::ranges::equal(left.tensors().shape(mine), right.tensors().shape(other));
      if (!alike) return PayloadPairs::Verdict::Different;
      add_exact_parts(left, x, exact);
      if (mine.storage && other.storage) {
        compare_elements(mine, other, exact.contains(x), comparison);
        if (!is_strided(mine)) shown.insert(*mine.storage);
      }
      return is_strided(mine) ? PayloadPairs::Verdict::Same : PayloadPairs::Verdict::ByParts;
    };
    // The elements of a tensor that was looked into have been compared; a storage that no tensor
    // shows has not.
    const auto storages = [&](StorageId x, StorageId y) {
      return shown.contains(x) || same_bytes(*a_.payload.open(x), *b_.payload.open(y));
    };
    const bool same = same_structure({left, left.tensors()[a].node, 0},
                                     {right, right.tensors()[b].node, 1}, {tensors, storages});
    if (!same) comparison.change.aspects.push_back(Aspect::Values);
  }

  void finish(Comparison comparison) {
    TensorChange& change = comparison.change;
    for (const std::size_t result : comparison.results) {
      change.differences.merge(results_[result]);
    }
    const bool noted = std::ranges::find(change.aspects, Aspect::Values) != change.aspects.end();
    if (change.differences.mismatched > 0 && !noted) change.aspects.push_back(Aspect::Values);
    if (change.aspects.empty()) {
      ++diff_.same;
    } else {
      diff_.changed.push_back(std::move(change));
    }
  }

  const DiffSide& a_;
  const DiffSide& b_;
  const DiffOptions& options_;
  Diff diff_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> tensors_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> values_;
  std::unique_ptr<FirstUsers> users_a_;
  std::unique_ptr<FirstUsers> users_b_;
  std::atomic<bool> stop_ = false;
  std::deque<tensor::Differences> results_;  // written by passes: they must not move
  ChunkedRunner runner_;
  TensorOpener opener_a_;
  TensorOpener opener_b_;
};

}  // namespace

Diff::Diff(const DiffSide& a, const DiffSide& b)
    : entries_a(a.payload.checkpoint, a.root), entries_b(b.payload.checkpoint, b.root) {}

Diff diff(const DiffSide& a, const DiffSide& b, const DiffOptions& options) {
  return Differ(a, b, options).run();
}

}  // namespace ptsd::operation
