// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/gather_source.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "checkpoint/element_source.h"

namespace ptsd::checkpoint {
namespace {

constexpr std::uint64_t kWindow = std::uint64_t{4} << 20;  // bytes read at once
constexpr std::uint64_t kPage = 4096;  // bytes: elements this far apart are read one by one

// A dimension of a box that is copied: steps in the source and in the result.
struct Axis {
  std::uint64_t size;
  std::uint64_t from;  // elements
  std::uint64_t to;    // elements
};

std::uint64_t span_of(const std::vector<Axis>& axes) {
  std::uint64_t last = 0;
  for (const Axis& axis : axes) {
    last += (axis.size - 1) * axis.from;
  }
  return last + 1;
}

// Whatever the order of the axes, the same elements are copied: the source decides.
void sort_for_reading(std::vector<Axis>& axes) {
  std::erase_if(axes, [](const Axis& axis) { return axis.size == 1; });
  std::ranges::stable_sort(axes, std::ranges::greater(), &Axis::from);
  if (axes.empty()) axes.push_back({1, 1, 1});
}

std::uint64_t count_of(const std::vector<Piece>& pieces) {
  std::uint64_t count = 0;
  for (const Piece& piece : pieces) {
    count += piece.count();
  }
  return count;
}

// Elements of one size from a line with steps to another; the steps are in elements.
using CopyLine = void (*)(std::byte* to, const std::byte* from, const Axis& axis);

// The size is constant, so that a copy is one instruction or two.
template <std::size_t kSize>
void copy_line_of(std::byte* to, const std::byte* from, const Axis& axis) {
  const std::size_t source_step = axis.from * kSize;
  const std::size_t target_step = axis.to * kSize;
  for (std::uint64_t i = 0; i < axis.size; ++i) {
    std::memcpy(to + i * target_step, from + i * source_step, kSize);
  }
}

CopyLine line_copier(std::uint64_t item_size) {
  switch (item_size) {
    case 1: return copy_line_of<1>;
    case 2: return copy_line_of<2>;
    case 4: return copy_line_of<4>;
    case 8: return copy_line_of<8>;
    default: assert(item_size == 16); return copy_line_of<16>;
  }
}

class GatherSource final : public ElementSource {
 public:
  GatherSource(std::uint64_t item_size, std::vector<Piece> pieces,
               std::unique_ptr<ByteSource> storage)
      : ElementSource(item_size, count_of(pieces), std::move(storage)),
        copy_elements_(line_copier(item_size)),
        pieces_(std::move(pieces)) {
    starts_.reserve(pieces_.size());
    std::uint64_t count = 0;
    for (const Piece& piece : pieces_) {
      starts_.push_back(count);
      count += piece.count();
    }
  }

 private:
  void make(std::uint64_t first, std::span<std::byte> out) const override {
    if (out.empty()) return;
    const auto after = std::ranges::upper_bound(starts_, first);
    auto at = static_cast<std::size_t>(after - starts_.begin()) - 1;
    while (!out.empty()) {
      const std::uint64_t skipped = first - starts_[at];
      const std::uint64_t count =
          std::min<std::uint64_t>(out.size() / item_size(), pieces_[at].count() - skipped);
      gather(pieces_[at], skipped, out.first(count * item_size()));
      out = out.subspan(count * item_size());
      first += count;
      ++at;
    }
  }

  // Elements [first, ...) of a piece, as boxes: the largest that begin at an element and keep the
  // order.
  void gather(const Piece& piece, std::uint64_t first, std::span<std::byte> out) const {
    while (!out.empty()) {
      const std::uint64_t left = out.size() / item_size();
      std::uint64_t inner = 1;  // elements in one step of the stride
      std::size_t at = piece.strides.size();
      while (at > 0 && first % (inner * piece.strides[at - 1].size) == 0 &&
             inner * piece.strides[at - 1].size <= left) {
        inner *= piece.strides[--at].size;
      }
      std::vector<Axis> axes;
      std::uint64_t count = inner;
      if (at > 0) {
        const std::uint64_t index = first / inner % piece.strides[at - 1].size;
        const std::uint64_t steps = std::min(left / inner, piece.strides[at - 1].size - index);
        axes.push_back({steps, piece.strides[at - 1].step, inner});
        count *= steps;
      }
      for (std::uint64_t step = inner; at < piece.strides.size(); ++at) {
        step /= piece.strides[at].size;
        axes.push_back({piece.strides[at].size, piece.strides[at].step, step});
      }
      copy_box(source_index(piece, first), std::move(axes), out.first(count * item_size()));
      out = out.subspan(count * item_size());
      first += count;
    }
  }

  static std::uint64_t source_index(const Piece& piece, std::uint64_t position) {
    std::uint64_t index = piece.offset;
    for (std::size_t i = piece.strides.size(); i-- > 0;) {
      index += position % piece.strides[i].size * piece.strides[i].step;
      position /= piece.strides[i].size;
    }
    return index;
  }

  void copy_box(std::uint64_t from, std::vector<Axis> axes, std::span<std::byte> out) const {
    sort_for_reading(axes);
    const std::uint64_t span = span_of(axes) * item_size();
    if (span == out.size() && axes.size() == 1 && axes[0].to == 1) {
      return storage().read(from * item_size(), out);
    }
    if (span <= kWindow && span / 16 <= out.size()) {
      std::vector<std::byte> window(span);
      storage().read(from * item_size(), std::span(window));
      return scatter(window, axes, 0, out);
    }
    const Axis last = axes.back();
    axes.pop_back();
    each_outer(axes, [&](std::uint64_t source, std::uint64_t target) {
      copy_line(from + source, last, target, out);
    });
  }

  // Calls `use` with the elements that lie at all steps of the axes.
  template <class Use>
  static void each_outer(const std::vector<Axis>& axes, const Use& use) {
    std::vector<std::uint64_t> index(axes.size());
    std::uint64_t source = 0;
    std::uint64_t target = 0;
    while (true) {
      use(source, target);
      std::size_t i = axes.size();
      for (; i > 0; --i) {
        const Axis& axis = axes[i - 1];
        source += axis.from;
        target += axis.to;
        if (++index[i - 1] < axis.size) break;
        source -= axis.from * axis.size;
        target -= axis.to * axis.size;
        index[i - 1] = 0;
      }
      if (i == 0) return;
    }
  }

  void scatter(Bytes window, std::vector<Axis> axes, std::uint64_t target,
               std::span<std::byte> out) const {
    const Axis last = axes.back();
    axes.pop_back();
    each_outer(axes, [&](std::uint64_t source, std::uint64_t place) {
      scatter_line(window.subspan(source * item_size()), last, target + place, out);
    });
  }

  void scatter_line(Bytes line, const Axis& axis, std::uint64_t target,
                    std::span<std::byte> out) const {
    std::byte* const to = out.data() + target * item_size();
    if (axis.from == 1 && axis.to == 1) {
      std::memcpy(to, line.data(), axis.size * item_size());
      return;
    }
    copy_elements_(to, line.data(), axis);
  }

  void copy_line(std::uint64_t from, const Axis& axis, std::uint64_t target,
                 std::span<std::byte> out) const {
    std::uint64_t at_once = 1;
    if (axis.from == 0) {
      at_once = axis.size;
    } else if (axis.from * item_size() < kPage) {
      at_once = kWindow / (axis.from * item_size());
    }
    std::vector<std::byte> line;
    for (std::uint64_t done = 0; done < axis.size;) {
      const std::uint64_t now = std::min(at_once, axis.size - done);
      line.resize(((now - 1) * axis.from + 1) * item_size());
      storage().read((from + done * axis.from) * item_size(), std::span(line));
      scatter_line(line, {now, axis.from, axis.to}, target + done * axis.to, out);
      done += now;
    }
  }

  CopyLine copy_elements_;
  std::vector<Piece> pieces_;
  std::vector<std::uint64_t> starts_;  // elements of the result, by piece
};

}  // namespace

std::uint64_t Piece::count() const {
  std::uint64_t count = 1;
  for (const Stride& stride : strides) {
    count *= stride.size;
  }
  return count;
}

GatherDerivation::GatherDerivation(std::uint64_t item_size, std::vector<Piece> pieces)
    : item_size_(item_size), pieces_(std::move(pieces)) {
  std::erase_if(pieces_, [](const Piece& piece) { return piece.count() == 0; });
  count_ = count_of(pieces_);
}

std::unique_ptr<ByteSource> GatherDerivation::over(std::unique_ptr<ByteSource> storage) const {
  return std::make_unique<GatherSource>(item_size_, pieces_, std::move(storage));
}

}  // namespace ptsd::checkpoint
