// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "checkpoint/elements.h"
#include "checkpoint/gather_source.h"

// A storage cut to the elements that its views use. What lies between these goes, as long as every
// view remains one: with other strides if need be. Where that does not work (views that step
// through the storage in different ways), what lies between their first and last elements stays.

namespace ptsd::operation {

class Compaction {
 public:
  // Of at least one view. Looks at no more than `budget` runs of elements, and takes those from it.
  Compaction(const std::vector<checkpoint::Geometry>& views, std::uint64_t& budget);

  // Elements that are kept.
  std::uint64_t count() const;
  // Where they lie in the storage.
  std::vector<checkpoint::Piece> pieces() const;
  // The geometry of a view in what is kept.
  std::uint64_t offset(const checkpoint::Geometry& view) const;
  std::vector<std::int64_t> stride(const checkpoint::Geometry& view) const;

 private:
  // Elements one behind the other, again and again; `again` has the shortest step first.
  struct Pattern {
    std::uint64_t offset;
    std::uint64_t run;
    std::vector<checkpoint::Stride> again;

    bool operator==(const Pattern&) const = default;
    std::uint64_t end() const;
    bool is_nested() const;
  };
  struct Run {
    std::uint64_t begin;
    std::uint64_t count;
    std::uint64_t start;  // in what is kept
  };

  static std::optional<Pattern> pattern_of(const checkpoint::Geometry& view);
  static std::uint64_t runs_of(const checkpoint::Geometry& view);
  static void add_runs(const Pattern& pattern, std::vector<Run>& runs);
  void set_runs(std::vector<Run> runs);
  bool fits(const checkpoint::Geometry& view) const;
  std::uint64_t kept_index(std::uint64_t index) const;

  std::optional<Pattern> only_;  // or else the runs
  std::vector<Run> runs_;        // ascending, with gaps between them
};

}  // namespace ptsd::operation
