// SPDX-License-Identifier: Apache-2.0
#include "operation/gather_source.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ptsd::operation {
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

class GatherSource final : public ByteSource {
 public:
  GatherSource(std::uint64_t item_size, std::vector<Piece> pieces,
               std::unique_ptr<ByteSource> storage)
      : item_size_(item_size), pieces_(std::move(pieces)), storage_(std::move(storage)) {
    starts_.reserve(pieces_.size());
    for (const Piece& piece : pieces_) {
      starts_.push_back(count_);
      count_ += piece.count();
    }
  }

  using ByteSource::read;
  const std::string& name() const override { return storage_->name(); }
  std::uint64_t size() const override { return count_ * item_size_; }

  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset > size() || out.size() > size() - offset) {
      storage_->fail(Error::Kind::Io, "read behind the end of what was gathered");
    }
    if (offset % item_size_ == 0 && out.size() % item_size_ == 0) {
      return gather(offset / item_size_, out);
    }
    // Around elements that are cut.
    const std::uint64_t first = offset / item_size_;
    const std::uint64_t last = (offset + out.size() + item_size_ - 1) / item_size_;
    std::vector<std::byte> whole((last - first) * item_size_);
    gather(first, whole);
    const auto begin = whole.begin() + static_cast<std::ptrdiff_t>(offset - first * item_size_);
    std::copy_n(begin, out.size(), out.begin());
  }

 private:
  void gather(std::uint64_t first, std::span<std::byte> out) const {
    if (out.empty()) return;
    const auto after = std::ranges::upper_bound(starts_, first);
    auto at = static_cast<std::size_t>(after - starts_.begin()) - 1;
    while (!out.empty()) {
      const std::uint64_t skipped = first - starts_[at];
      const std::uint64_t count =
          std::min<std::uint64_t>(out.size() / item_size_, pieces_[at].count() - skipped);
      gather(pieces_[at], skipped, out.first(count * item_size_));
      out = out.subspan(count * item_size_);
      first += count;
      ++at;
    }
  }

  // Elements [first, ...) of a piece, as boxes: the largest that begin at an element and keep the
  // order.
  void gather(const Piece& piece, std::uint64_t first, std::span<std::byte> out) const {
    while (!out.empty()) {
      const std::uint64_t left = out.size() / item_size_;
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
      copy_box(source_index(piece, first), std::move(axes), out.first(count * item_size_));
      out = out.subspan(count * item_size_);
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
    const std::uint64_t span = span_of(axes) * item_size_;
    if (span == out.size() && axes.size() == 1 && axes[0].to == 1) {
      return storage_->read(from * item_size_, out);
    }
    if (span <= kWindow && span / 16 <= out.size()) {
      std::vector<std::byte> window(span);
      storage_->read(from * item_size_, std::span(window));
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
      scatter_line(window.subspan(source * item_size_), last, target + place, out);
    });
  }

  void scatter_line(Bytes line, const Axis& axis, std::uint64_t target,
                    std::span<std::byte> out) const {
    std::byte* const to = out.data() + target * item_size_;
    if (axis.from == 1 && axis.to == 1) {
      std::memcpy(to, line.data(), axis.size * item_size_);
      return;
    }
    for (std::uint64_t i = 0; i < axis.size; ++i) {
      std::memcpy(to + i * axis.to * item_size_, line.data() + i * axis.from * item_size_,
                  item_size_);
    }
  }

  void copy_line(std::uint64_t from, const Axis& axis, std::uint64_t target,
                 std::span<std::byte> out) const {
    std::uint64_t at_once = 1;
    if (axis.from == 0) {
      at_once = axis.size;
    } else if (axis.from * item_size_ < kPage) {
      at_once = kWindow / (axis.from * item_size_);
    }
    std::vector<std::byte> line;
    for (std::uint64_t done = 0; done < axis.size;) {
      const std::uint64_t now = std::min(at_once, axis.size - done);
      line.resize(((now - 1) * axis.from + 1) * item_size_);
      storage_->read((from + done * axis.from) * item_size_, std::span(line));
      scatter_line(line, {now, axis.from, axis.to}, target + done * axis.to, out);
      done += now;
    }
  }

  std::uint64_t item_size_;
  std::uint64_t count_ = 0;
  std::vector<Piece> pieces_;
  std::vector<std::uint64_t> starts_;  // elements of the result, by piece
  std::unique_ptr<ByteSource> storage_;
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
  for (const Piece& piece : pieces_) {
    count_ += piece.count();
  }
}

std::unique_ptr<ByteSource> GatherDerivation::over(std::unique_ptr<ByteSource> storage) const {
  return std::make_unique<GatherSource>(item_size_, pieces_, std::move(storage));
}

}  // namespace ptsd::operation
