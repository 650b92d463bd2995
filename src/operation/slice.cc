// SPDX-License-Identifier: Apache-2.0
#include "operation/slice.h"

#include <algorithm>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "base/error.h"
#include "base/quote.h"

namespace ptsd::operation {
namespace {

using Integer = std::int64_t;

struct Item {
  enum class Kind { Index, Range, Ellipsis, NewAxis };

  Kind kind;
  Integer index = 0;
  std::optional<Integer> start = {};
  std::optional<Integer> stop = {};
  Integer step = 1;
};

[[noreturn]] void fail(std::string_view text, std::string_view why, std::string_view name = {}) {
  const std::string of = name.empty() ? "" : " of " + quote(name);
  fail_usage(fmt::format("--slice {}{}: {}", quote(text), of, why));
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\n\r\f\v";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Beyond 64 bits the nearest there is: no tensor is that large.
Integer saturated(bool negative, std::string_view digits) {
  constexpr Integer kMost = std::numeric_limits<Integer>::max();
  Integer value = 0;
  for (const char digit : digits) {
    const Integer next = digit - '0';
    value = value > (kMost - next) / 10 ? kMost : value * 10 + next;
  }
  return negative ? -value : value;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::vector<Item> run() {
    std::string_view rest = trimmed(text_);
    if (rest.empty()) fail(text_, "empty, expected an index such as '0:3, -1'");
    // One comma at the end makes a tuple of one.
    if (rest.ends_with(',')) rest.remove_suffix(1);
    std::vector<Item> items;
    while (true) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      items.push_back(item(trimmed(rest.substr(0, comma))));
      if (comma == rest.size()) return items;
      rest.remove_prefix(comma + 1);
    }
  }

 private:
  Item item(std::string_view word) const {
    if (word == "...") return {.kind = Item::Kind::Ellipsis};
    if (word == "None") return {.kind = Item::Kind::NewAxis};
    if (word.find(':') != std::string_view::npos) return range(word);
    const std::optional<Integer> index = number(word);
    if (!index) fail(text_, "expected integers, slices, '...' or None, separated by commas");
    return {.kind = Item::Kind::Index, .index = *index};
  }

  Item range(std::string_view word) const {
    Item item = {.kind = Item::Kind::Range};
    item.start = bound(next_part(word));
    item.stop = bound(next_part(word));
    const std::optional<Integer> step = bound(next_part(word));
    if (!word.empty()) fail(text_, "a slice has at most two colons");
    if (step == 0) fail(text_, "the step of a slice cannot be 0");
    if (step && *step < 0)
      fail(text_, "the step of a slice is negative: PyTorch takes none either");
    item.step = step.value_or(1);
    return item;
  }

  // Up to a colon, which is consumed.
  static std::string_view next_part(std::string_view& word) {
    const std::size_t colon = std::min(word.find(':'), word.size());
    const std::string_view part = word.substr(0, colon);
    word.remove_prefix(std::min(colon + 1, word.size()));
    return trimmed(part);
  }

  std::optional<Integer> bound(std::string_view word) const {
    if (word.empty() || word == "None") return std::nullopt;
    const std::optional<Integer> value = number(word);
    if (!value) fail(text_, fmt::format("{} is no integer", quote(word)));
    return value;
  }

  static std::optional<Integer> number(std::string_view word) {
    const bool negative = word.starts_with('-');
    if (negative || word.starts_with('+')) word = trimmed(word.substr(1));
    if (word.empty() || !std::ranges::all_of(word, is_digit)) return std::nullopt;
    return saturated(negative, word);
  }

  std::string_view text_;
};

class Slicer {
 public:
  Slicer(std::string_view text, const checkpoint::Geometry& geometry, std::string_view name)
      : text_(text),
        name_(name),
        from_(geometry),
        is_empty_(std::ranges::find(geometry.shape, 0) != geometry.shape.end()) {
    view_.offset = geometry.offset;
  }

  View run(const std::vector<Item>& items) {
    const auto used = static_cast<std::size_t>(std::ranges::count_if(items, [](const Item& item) {
      return item.kind == Item::Kind::Index || item.kind == Item::Kind::Range;
    }));
    if (used > from_.shape.size()) {
      fail(text_, fmt::format("{} indices for a tensor of {} dimensions", used, from_.shape.size()),
           name_);
    }
    std::size_t rest = from_.shape.size() - used;
    for (const Item& item : items) {
      if (item.kind == Item::Kind::Ellipsis) {
        keep(rest);  // a second one stands for nothing
        rest = 0;
      } else {
        apply(item);
      }
    }
    keep(rest);
    return std::move(view_);
  }

 private:
  void keep(std::size_t count) {
    for (; count > 0; --count, ++dimension_) {
      push(from_.shape[dimension_], from_.stride[dimension_]);
    }
  }

  void apply(const Item& item) {
    if (item.kind == Item::Kind::NewAxis) return push(1, 0);
    const Integer size = from_.shape[dimension_];
    const Integer stride = from_.stride[dimension_];
    if (item.kind == Item::Kind::Index) {
      skip(in_range(item.index, size), stride);
    } else {
      const Integer start = clamped(item.start.value_or(0), size);
      const Integer stop = std::max(clamped(item.stop.value_or(size), size), start);
      const Integer length = stop - start;
      const Integer count = length / item.step + (length % item.step != 0);
      if (count > 0) skip(start, stride);
      // A step that is never taken may be larger than what fits.
      push(count, count > 1 && !is_empty_ ? stride * item.step : stride);
    }
    ++dimension_;
  }

  Integer in_range(Integer index, Integer size) const {
    if (index >= size || index < -size) {
      fail(text_,
           fmt::format("index {} is out of bounds for dimension {} with size {}", index, dimension_,
                       size),
           name_);
    }
    return index < 0 ? index + size : index;
  }

  static Integer clamped(Integer bound, Integer size) {
    if (bound < 0) bound += size;
    return std::clamp(bound, Integer{0}, size);
  }

  void skip(Integer index, Integer stride) {
    if (is_empty_) return;  // no element need lie in the storage
    view_.offset += static_cast<std::uint64_t>(index) * static_cast<std::uint64_t>(stride);
  }

  void push(Integer size, Integer stride) {
    view_.shape.push_back(size);
    view_.stride.push_back(stride);
  }

  std::string_view text_;
  std::string_view name_;
  const checkpoint::Geometry& from_;
  bool is_empty_;
  View view_;
  std::size_t dimension_ = 0;
};

}  // namespace

View slice(std::string_view text, const checkpoint::Geometry& geometry, std::string_view name) {
  return Slicer(text, geometry, name).run(Parser(text).run());
}

}  // namespace ptsd::operation
