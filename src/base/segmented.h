// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <vector>

// Arenas for what a checkpoint has millions of. They grow by whole segments and never move what
// they hold: no doubling, no peak while growing, and references stay good.

namespace ptsd {

// Large enough to come from the system and go back to it: what the memo of a pickle took is free
// for the tensors. Pages that are not reached cost nothing.
inline constexpr std::size_t kSegmentBits = 16;
inline constexpr std::size_t kSegmentSize = std::size_t{1} << kSegmentBits;  // elements

// Room for elements that are made one by one: to make all at once would reach every page.
template <class T>
class Segment {
 public:
  explicit Segment(std::size_t count) : places_(std::make_unique_for_overwrite<Place[]>(count)) {}

  T* at(std::size_t index) const { return std::launder(reinterpret_cast<T*>(&places_[index])); }

 private:
  static_assert(std::is_trivially_destructible_v<T>);
  struct Place {
    alignas(T) std::array<std::byte, sizeof(T)> bytes;
  };

  std::unique_ptr<Place[]> places_;
};

template <class T>
class SegmentedVector {
 public:
  std::size_t size() const { return size_; }
  T& operator[](std::size_t index) { return *place(index); }
  const T& operator[](std::size_t index) const { return *place(index); }
  void push_back(const T& value) {
    if (size_ == segments_.size() << kSegmentBits) segments_.emplace_back(kSegmentSize);
    std::construct_at(place(size_), value);
    ++size_;
  }

 private:
  T* place(std::size_t index) const {
    return segments_[index >> kSegmentBits].at(index & (kSegmentSize - 1));
  }

  std::vector<Segment<T>> segments_;
  std::size_t size_ = 0;
};

// Runs of elements, each contiguous. A run longer than a segment has one to itself.
template <class T>
class SpanArena {
 public:
  // Copies `run` and returns where it lies for as long as the arena does.
  std::span<T> store(std::span<const T> run) {
    const std::span<T> stored = reserve(run.size());
    std::ranges::copy(run, stored.begin());
    return stored;
  }

  // Room for `count` elements, likewise.
  std::span<T> reserve(std::size_t count) {
    if (count > kSegmentSize) {
      segments_.push_back(std::make_unique_for_overwrite<T[]>(count));
      return {segments_.back().get(), count};
    }
    if (count > left_) {
      segments_.push_back(std::make_unique_for_overwrite<T[]>(kSegmentSize));
      next_ = segments_.back().get();
      left_ = kSegmentSize;
    }
    T* place = next_;
    next_ += count;
    left_ -= count;
    return {place, count};
  }

 private:
  std::vector<std::unique_ptr<T[]>> segments_;
  T* next_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace ptsd
