// SPDX-License-Identifier: Apache-2.0
#include "operation/set_items.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>

#include "checkpoint/children.h"
#include "pickle/import_names.h"

namespace ptsd::operation {

using checkpoint::Known;
using pickle::Graph;
using pickle::Kind;
using pickle::KindSet;
using pickle::NodeId;

namespace {

// Of all items: shared parts count for each.
constexpr std::size_t kMostBytes = std::size_t{64} << 20;

// Writes down what hashable values are, so that equal ones come out the same.
class ItemWriter {
 public:
  explicit ItemWriter(const Graph& graph) : graph_(graph) {}

  // Nothing for what holds anything but numbers, text, tuples, globals and objects made of these,
  // and once too much has been written.
  std::optional<std::string> write(NodeId item) {
    text_.clear();
    open_.assign(1, item);
    while (!open_.empty()) {
      const NodeId node = open_.back();
      open_.pop_back();
      if (!write_one(node) || written_ + text_.size() + open_.size() > kMostBytes) {
        return std::nullopt;
      }
    }
    written_ += text_.size();
    return text_;
  }

 private:
  static constexpr KindSet kTexts{Kind::Str,       Kind::ByteStr,   Kind::Bytes,
                                  Kind::ByteArray, Kind::LongBytes, Kind::LongDigits};
  static constexpr KindSet kConstants{Kind::None, Kind::False, Kind::True};

  bool write_one(NodeId node) {
    const Kind kind = graph_.kind(node);
    text_ += static_cast<char>(kind);
    if (kConstants.contains(kind)) return true;
    if (kTexts.contains(kind)) {
      put(graph_.text(node).size());
      text_ += graph_.text(node);
      return true;
    }
    if (pickle::kObjects.contains(kind)) {
      open_.push_back(graph_.args(node));
      open_.push_back(graph_.callable(node));
      return kind != Kind::NewObjEx && graph_.mutations(node).empty();
    }
    switch (kind) {
      case Kind::Int: put(std::bit_cast<std::uint64_t>(graph_.int_value(node))); return true;
      case Kind::Float: put(graph_.float_bits(node)); return true;
      case Kind::Tuple:
        put(graph_.items(node).size());
        open_.insert(open_.end(), graph_.items(node).rbegin(), graph_.items(node).rend());
        return true;
      case Kind::Global: {
        const pickle::GlobalName name = pickle::canonical(graph_.global(node));
        put(name.module.size());
        (text_ += name.module) += name.name;
        text_ += '\0';
        return true;
      }
      default: return false;
    }
  }

  void put(std::uint64_t number) {
    text_.append(reinterpret_cast<const char*>(&number), sizeof(number));
  }

  const Graph& graph_;
  std::string text_;
  std::vector<NodeId> open_;
  std::size_t written_ = 0;
};

}  // namespace

bool is_set(const checkpoint::Names& names, NodeId node) {
  const Kind kind = names.graph().kind(node);
  const Known maker = names.maker(node).what;
  return kind == Kind::Set || kind == Kind::FrozenSet || maker == Known::Set ||
         maker == Known::FrozenSet;
}

std::optional<std::vector<std::string>> set_items(const checkpoint::Names& names, NodeId node) {
  if (!is_set(names, node)) return std::nullopt;
  ItemWriter writer(names.graph());
  std::vector<std::string> items;
  for (const checkpoint::Child& child : children_of(names, node).list) {
    if (child.part != checkpoint::Child::Part::Plain) return std::nullopt;
    std::optional<std::string> item = writer.write(child.value);
    if (!item) return std::nullopt;
    items.push_back(std::move(*item));
  }
  std::ranges::sort(items);
  return items;
}

}  // namespace ptsd::operation
