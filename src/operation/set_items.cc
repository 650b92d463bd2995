// SPDX-License-Identifier: Apache-2.0
#include "operation/set_items.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "checkpoint/children.h"
#include "checkpoint/numpy_scalar.h"
#include "operation/lasting_name.h"

namespace ptsd::operation {

using checkpoint::Known;
using checkpoint::Names;
using pickle::Graph;
using pickle::Kind;
using pickle::KindSet;
using pickle::NodeId;

namespace {

// Of all items: shared parts count for each, and those of an inner set for every set around it.
constexpr std::size_t kMostBytes = std::size_t{64} << 20;

// Writes down what hashable values are, so that equal ones come out the same. Sets are entered one
// inside the other, and left when all their items are written and can be sorted.
class ItemWriter {
 public:
  using Items = std::vector<std::string>;

  explicit ItemWriter(const Names& names) : names_(names), graph_(names.graph()) {}

  // Nothing for what holds anything but numbers, text, tuples, sets, globals and objects made of
  // these, and once too much has been written.
  std::optional<Items> write(NodeId set) {
    bool fine = enter(set);
    while (fine && written_ <= kMostBytes) {
      Set& inner = sets_.back();
      if (!inner.parts.empty()) {
        const NodeId part = inner.parts.back();
        inner.parts.pop_back();
        fine = is_set(names_, part) ? enter(part) : write_one(part);
      } else if (!begin_item(inner)) {
        std::ranges::sort(inner.items);
        if (sets_.size() == 1) return std::move(inner.items);
        leave();
      }
    }
    return std::nullopt;
  }

 private:
  struct Set {
    std::vector<NodeId> left;        // items
    std::vector<NodeId> parts = {};  // of the item that is being written, the last comes first
    std::optional<std::string> text = {};  // of that item
    Items items = {};                      // that have been written
  };

  bool enter(NodeId set) {
    Set inner;
    for (const checkpoint::Child& child : children_of(names_, set).list) {
      if (child.part != checkpoint::Child::Part::Plain) return false;
      inner.left.push_back(child.value);
    }
    written_ += inner.left.size();
    sets_.push_back(std::move(inner));
    return true;
  }

  static bool begin_item(Set& set) {
    if (set.text) set.items.push_back(std::move(*set.text));
    set.text.reset();
    if (set.left.empty()) return false;
    set.text.emplace();
    set.parts.push_back(set.left.back());
    set.left.pop_back();
    return true;
  }

  // Into the item of the set around it.
  void leave() {
    const Items items = std::move(sets_.back().items);
    sets_.pop_back();
    put(Kind::FrozenSet, items.size());
    for (const std::string& item : items) {
      put(item);
    }
  }

  bool write_one(NodeId node) {
    const Kind kind = graph_.kind(node);
    if (pickle::kObjects.contains(kind)) return write_object(node);
    switch (kind) {
      case Kind::None:
      case Kind::False:
      case Kind::True: put(kind, 0); return true;
      case Kind::Int: put(kind, std::bit_cast<std::uint64_t>(graph_.int_value(node))); return true;
      case Kind::Float: put(kind, graph_.float_bits(node)); return true;
      case Kind::Str:
      case Kind::ByteStr: put(Kind::Str, graph_.text(node)); return true;
      case Kind::Bytes:
      case Kind::LongBytes:
      case Kind::LongDigits: put(kind, graph_.text(node)); return true;
      case Kind::Tuple:
        put(kind, graph_.items(node).size());
        add_parts(graph_.items(node));
        return true;
      case Kind::Global: {
        const pickle::GlobalName name = lasting_name(graph_.global(node));
        put(kind, name.module);
        put(name.name);
        return true;
      }
      default: return false;
    }
  }

  bool write_object(NodeId node) {
    // At protocol 2 a bytes object is a call.
    if (names_.maker(node).what == Known::Encode) {
      const std::optional<std::string> bytes = bytes_of(names_, node);
      if (bytes) put(Kind::Bytes, *bytes);
      return bytes.has_value();
    }
    put(graph_.kind(node), 0);
    add_parts(std::array{graph_.callable(node), graph_.args(node)});
    return graph_.kind(node) != Kind::NewObjEx && graph_.mutations(node).empty();
  }

  void add_parts(std::span<const NodeId> parts) {
    written_ += parts.size();
    std::vector<NodeId>& open = sets_.back().parts;
    open.insert(open.end(), parts.rbegin(), parts.rend());
  }

  void put(Kind kind, std::uint64_t number) {
    append({reinterpret_cast<const char*>(&kind), sizeof(kind)});
    append({reinterpret_cast<const char*>(&number), sizeof(number)});
  }
  void put(Kind kind, std::string_view text) {
    put(kind, text.size());
    append(text);
  }
  void put(std::string_view text) { put(Kind::Str, text); }

  void append(std::string_view bytes) {
    *sets_.back().text += bytes;
    written_ += bytes.size();
  }

  const Names& names_;
  const Graph& graph_;
  std::vector<Set> sets_;  // that have been entered, each inside the one before
  std::size_t written_ = 0;
};

}  // namespace

bool is_set(const Names& names, NodeId node) {
  const Kind kind = names.graph().kind(node);
  const Known maker = names.maker(node).what;
  return kind == Kind::Set || kind == Kind::FrozenSet || maker == Known::Set ||
         maker == Known::FrozenSet;
}

std::optional<std::vector<std::string>> set_items(const Names& names, NodeId node) {
  if (!is_set(names, node)) return std::nullopt;
  return ItemWriter(names).write(node);
}

}  // namespace ptsd::operation
