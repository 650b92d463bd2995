// SPDX-License-Identifier: Apache-2.0
#include "operation/compaction.h"

#include <algorithm>
#include <limits>

#include "base/checked.h"

namespace ptsd::operation {

using checkpoint::Geometry;
using checkpoint::Piece;
using checkpoint::Stride;

namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

// The dimensions that reach other elements, the shortest step first.
std::vector<Stride> steps_of(const Geometry& view) {
  std::vector<Stride> steps;
  for (std::size_t i = 0; i < view.shape.size(); ++i) {
    if (view.shape[i] < 2 || view.stride[i] == 0) continue;
    steps.push_back(
        {static_cast<std::uint64_t>(view.shape[i]), static_cast<std::uint64_t>(view.stride[i])});
  }
  std::ranges::stable_sort(steps, {}, &Stride::step);
  return steps;
}

bool is_empty(const Geometry& view) {
  return std::ranges::find(view.shape, 0) != view.shape.end();
}

std::uint64_t product(const std::vector<Stride>& strides) {
  std::uint64_t count = 1;
  for (const Stride& stride : strides) {
    count = checked_mul(count, stride.size).value_or(kMost);
  }
  return count;
}

// Calls `use` with the sums of steps, and of what `others` has for them, of all combinations.
template <class Use>
void each_step(const std::vector<Stride>& strides, const std::vector<std::uint64_t>& others,
               const Use& use) {
  std::vector<std::uint64_t> index(strides.size());
  std::uint64_t at = 0;
  std::uint64_t other = 0;
  while (true) {
    use(at, other);
    std::size_t i = 0;
    for (; i < strides.size(); ++i) {
      at += strides[i].step;
      other += others[i];
      if (++index[i] < strides[i].size) break;
      at -= strides[i].step * strides[i].size;
      other -= others[i] * strides[i].size;
      index[i] = 0;
    }
    if (i == strides.size()) return;
  }
}

}  // namespace

std::uint64_t Compaction::Pattern::end() const {
  std::uint64_t end = offset + run;
  for (const Stride& stride : again) {
    end += (stride.size - 1) * stride.step;
  }
  return end;
}

// Whether what a stride repeats is shorter than its step.
bool Compaction::Pattern::is_nested() const {
  std::uint64_t length = run;
  for (const Stride& stride : again) {
    if (stride.step < length) return false;
    length += (stride.size - 1) * stride.step;
  }
  return true;
}

std::optional<Compaction::Pattern> Compaction::pattern_of(const Geometry& view) {
  if (is_empty(view)) return std::nullopt;
  Pattern pattern = {.offset = view.offset, .run = 1, .again = {}};
  for (const Stride& next : steps_of(view)) {
    if (pattern.again.empty() && next.step <= pattern.run) {
      pattern.run += (next.size - 1) * next.step;
      continue;
    }
    if (!pattern.again.empty()) {
      Stride& last = pattern.again.back();
      if (next.step % last.step == 0 && next.step / last.step <= last.size) {
        last.size += (next.size - 1) * (next.step / last.step);
        continue;
      }
    }
    pattern.again.push_back(next);
  }
  return pattern;
}

Compaction::Compaction(const std::vector<Geometry>& views, std::uint64_t& budget) {
  std::vector<Pattern> patterns;
  for (const Geometry& view : views) {
    std::optional<Pattern> pattern = pattern_of(view);
    if (pattern && (patterns.empty() || patterns.back() != *pattern)) {
      patterns.push_back(std::move(*pattern));
    }
  }
  if (patterns.size() == 1 && patterns[0].is_nested()) {
    only_ = std::move(patterns[0]);
    return;
  }
  std::uint64_t wanted = 0;  // to find the runs, and to look whether the views fit them
  for (const Geometry& view : views) {
    wanted = checked_add(wanted, runs_of(view)).value_or(kMost);
  }
  std::vector<Run> runs;
  if (wanted <= budget) {
    budget -= wanted;
    for (const Pattern& pattern : patterns) {
      add_runs(pattern, runs);
    }
    set_runs(std::move(runs));
    if (std::ranges::all_of(views, [this](const Geometry& view) { return fits(view); })) return;
    runs.clear();
  }
  for (const Pattern& pattern : patterns) {
    runs.push_back({pattern.offset, pattern.end() - pattern.offset, 0});
  }
  set_runs(std::move(runs));
}

// A bound on the runs of its pattern as well.
std::uint64_t Compaction::runs_of(const Geometry& view) {
  if (is_empty(view)) return 0;
  std::vector<Stride> steps = steps_of(view);
  if (!steps.empty() && steps.front().step == 1) steps.erase(steps.begin());
  return product(steps);
}

void Compaction::add_runs(const Pattern& pattern, std::vector<Run>& runs) {
  each_step(pattern.again, std::vector<std::uint64_t>(pattern.again.size()),
            [&](std::uint64_t at, std::uint64_t) {
              runs.push_back({pattern.offset + at, pattern.run, 0});
            });
}

void Compaction::set_runs(std::vector<Run> runs) {
  std::ranges::sort(runs, {}, &Run::begin);
  runs_.clear();
  for (const Run& run : runs) {
    if (!runs_.empty() && run.begin <= runs_.back().begin + runs_.back().count) {
      Run& last = runs_.back();
      last.count = std::max(last.begin + last.count, run.begin + run.count) - last.begin;
    } else {
      runs_.push_back(run);
    }
  }
  std::uint64_t start = 0;
  for (Run& run : runs_) {
    run.start = start;
    start += run.count;
  }
}

// Whether the elements of a view lie at equal steps in what is kept, too.
bool Compaction::fits(const Geometry& view) const {
  if (is_empty(view)) return true;
  std::vector<Stride> steps = steps_of(view);
  if (!steps.empty() && steps.front().step == 1) steps.erase(steps.begin());
  const std::uint64_t first = kept_index(view.offset);
  std::vector<std::uint64_t> kept;
  for (const Stride& stride : steps) {
    kept.push_back(kept_index(view.offset + stride.step) - first);
  }
  bool fit = true;
  each_step(steps, kept, [&](std::uint64_t at, std::uint64_t other) {
    fit = fit && kept_index(view.offset + at) == first + other;
  });
  return fit;
}

std::uint64_t Compaction::kept_index(std::uint64_t index) const {
  if (!only_) {
    const auto after = std::ranges::upper_bound(runs_, index, {}, &Run::begin);
    const Run& run = *std::prev(after);
    return run.start + (index - run.begin);
  }
  std::uint64_t rest = index - only_->offset;
  std::uint64_t length = count();
  std::uint64_t kept = 0;
  for (std::size_t i = only_->again.size(); i-- > 0;) {
    const Stride& stride = only_->again[i];
    length /= stride.size;
    const std::uint64_t steps = std::min(rest / stride.step, stride.size - 1);
    kept += steps * length;
    rest -= steps * stride.step;
  }
  return kept + rest;
}

std::uint64_t Compaction::count() const {
  if (only_) return only_->run * product(only_->again);
  return runs_.empty() ? 0 : runs_.back().start + runs_.back().count;
}

std::vector<Piece> Compaction::pieces() const {
  std::vector<Piece> pieces;
  if (only_) {
    pieces.push_back({
        only_->offset, {only_->again.rbegin(), only_->again.rend()}
    });
    pieces.back().strides.push_back({only_->run, 1});
    return pieces;
  }
  for (const Run& run : runs_) {
    pieces.push_back({run.begin, {{run.count, 1}}});
  }
  return pieces;
}

std::uint64_t Compaction::offset(const Geometry& view) const {
  return is_empty(view) ? 0 : kept_index(view.offset);
}

std::vector<std::int64_t> Compaction::stride(const Geometry& view) const {
  std::vector<std::int64_t> kept(view.stride.begin(), view.stride.end());
  if (is_empty(view)) return kept;
  const std::uint64_t first = kept_index(view.offset);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (view.shape[i] < 2) continue;
    const std::uint64_t next = view.offset + static_cast<std::uint64_t>(view.stride[i]);
    kept[i] = static_cast<std::int64_t>(kept_index(next) - first);
  }
  return kept;
}

}  // namespace ptsd::operation
