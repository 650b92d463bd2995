// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/children.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string_view>
#include <tuple>
#include <unordered_set>

#include <fmt/format.h>

#include "base/flat_index.h"
#include "checkpoint/python_repr.h"

namespace ptsd::checkpoint {

using pickle::Change;
using pickle::Kind;
using pickle::KindSet;
using pickle::NodeId;
using Part = Child::Part;
using Label = Child::Label;

namespace {

constexpr KindSet kText(Kind::Str, Kind::ByteStr);

using NodeSpan = std::span<const NodeId>;

std::string_view prefix(Part part) {
  switch (part) {
    case Part::Plain: return "";
    case Part::State: return "~state/";
    case Part::Args: return "~args/";
    case Part::Kwargs: return "~kwargs/";
    case Part::Callable: return "~callable";
    case Part::WholeState: return "~state";
  }
  return "";
}

void append_escaped(std::string& path, std::string_view segment) {
  if (segment.find_first_of("~/") == std::string_view::npos) {
    path += segment;
    return;
  }
  for (const char c : segment) {
    if (c == '~') {
      path += "~0";
    } else if (c == '/') {
      path += "~1";
    } else {
      path += c;
    }
  }
}

class Collector {
 public:
  explicit Collector(const Names& names) : names_(names), graph_(names.graph()) {}

  Children collect(NodeId node) {
    const Kind kind = graph_.kind(node);
    if (pickle::kObjects.contains(kind)) {
      collect_object(node);
    } else {
      collect_container(node, Part::Plain);
    }
    return finish();
  }

  Children collect_attributes(NodeId state) {
    add_state(state, Part::State);
    return finish();
  }

 private:
  void collect_container(NodeId node, Part part) {
    if (graph_.kind(node) == Kind::Tuple || graph_.kind(node) == Kind::FrozenSet) {
      add_items(graph_.items(node), part);
    } else if (KindSet(Kind::List, Kind::Set, Kind::Dict).contains(graph_.kind(node))) {
      add_mutations(node, part);
    }
  }

  void add_items(NodeSpan items, Part part) {
    for (const NodeId item : items) {
      children_.list.push_back({.value = item, .index = next_index_++, .part = part});
    }
  }

  void add_pairs(NodeSpan operands, Part part) {
    for (std::size_t i = 0; i < operands.size(); i += 2) {
      children_.list.push_back(
          {.value = operands[i + 1], .key = operands[i], .label = Label::Key, .part = part});
    }
  }

  // Everything but BUILD.
  void add_mutations(NodeId node, Part part) {
    for (const pickle::Mutation& mutation : graph_.mutations(node)) {
      if (mutation.change == Change::SetItems) {
        add_pairs(mutation.operands, part);
      } else if (mutation.change != Change::Build) {
        add_items(mutation.operands, part);
      }
    }
  }

  // In the order in which Python makes an object: arguments, items, state.
  void collect_object(NodeId node) {
    if (!KindSet(Kind::Global, Kind::Ext, Kind::PersId)
             .contains(graph_.kind(graph_.callable(node)))) {
      children_.list.push_back({.value = graph_.callable(node), .part = Part::Callable});
    }
    bool has_items = false;
    bool has_state = false;
    for (const pickle::Mutation& mutation : graph_.mutations(node)) {
      (mutation.change == Change::Build ? has_state : has_items) = true;
    }
    if (add_known_args(node)) {
      has_items = true;
    } else {
      add_args(node, has_items || has_state);
    }
    add_mutations(node, Part::Plain);
    for (const pickle::Mutation& mutation : graph_.mutations(node)) {
      if (mutation.change != Change::Build) continue;
      add_state(mutation.operands[0], has_items ? Part::State : Part::Plain);
    }
  }

  void add_args(NodeId node, bool has_more) {
    NodeSpan args = graph_.items(graph_.args(node));
    if (names_.maker(node).what == Known::Reconstructor && args.size() == 3) {
      // (class, base, value of the base)
      args = graph_.kind(args[2]) == Kind::None ? NodeSpan() : args.subspan(2);
    }
    const Part part = has_more ? Part::Args : Part::Plain;
    if (graph_.kind(graph_.args(node)) == Kind::Tuple) {
      add_items(args, part);
    } else {
      add_items(std::array{graph_.args(node)}, part);  // an object that serves as a tuple
    }
    if (has_more) next_index_ = 0;
    if (graph_.kind(node) == Kind::NewObjEx) add_mutations(graph_.kwargs(node), Part::Kwargs);
  }

  // The containers that are made from another container: their items are its items.
  bool add_known_args(NodeId node) {
    const NodeSpan args = graph_.items(graph_.args(node));
    switch (names_.maker(node).what) {
      case Known::OrderedDict:
        if (!args.empty()) add_pair_list(args[0]);
        return true;
      case Known::DefaultDict:
        if (args.size() > 1) collect_container(args[1], Part::Plain);
        return true;
      case Known::Counter:
      case Known::Deque:
      case Known::Set:
      case Known::FrozenSet:
        if (!args.empty()) collect_container(args[0], Part::Plain);
        return true;
      default: return false;
    }
  }

  // [[key, value], ...], as Python 2 pickles an OrderedDict.
  void add_pair_list(NodeId list) {
    if (graph_.kind(list) != Kind::List) return collect_container(list, Part::Plain);
    for (const pickle::Mutation& mutation : graph_.mutations(list)) {
      for (const NodeId pair : mutation.operands) {
        add_pair(pair);
      }
    }
  }

  void add_pair(NodeId pair) {
    std::vector<NodeId> both;
    if (graph_.kind(pair) == Kind::Tuple) {
      both.assign(graph_.items(pair).begin(), graph_.items(pair).end());
    } else if (graph_.kind(pair) == Kind::List) {
      for (const pickle::Mutation& mutation : graph_.mutations(pair)) {
        both.insert(both.end(), mutation.operands.begin(), mutation.operands.end());
      }
    }
    if (both.size() == 2) {
      add_pairs(both, Part::Plain);
    } else {
      add_items(std::array{pair}, Part::Plain);
    }
  }

  // A dict of attributes, or (dict or None, dict of slots), or whatever __setstate__ takes.
  void add_state(NodeId state, Part part) {
    if (graph_.kind(state) == Kind::Dict) return add_mutations(state, part);
    if (const NodeSpan both = graph_.kind(state) == Kind::Tuple ? graph_.items(state) : NodeSpan();
        both.size() == 2 && is_dict_or_none(both[0]) && graph_.kind(both[1]) == Kind::Dict) {
      if (graph_.kind(both[0]) == Kind::Dict) add_mutations(both[0], part);
      return add_mutations(both[1], part);
    }
    children_.list.push_back({.value = state, .part = Part::WholeState});
  }

  bool is_dict_or_none(NodeId node) const {
    return KindSet(Kind::Dict, Kind::None).contains(graph_.kind(node));
  }

  // Repeated keys, and segments that would be the same.

  Children finish() {
    bool any_key = false;
    bool only_text = true;
    std::size_t whole_states = 0;
    for (const Child& child : children_.list) {
      const bool key = child.label == Label::Key;
      any_key = any_key || key;
      if (!key || child.part != Part::Plain || !kText.contains(graph_.kind(child.key))) {
        only_text = false;
      }
      if (child.part == Part::WholeState) ++whole_states;
    }
    if (any_key) drop_repeated_keys();
    if (any_key && !only_text) make_distinct();
    if (whole_states > 0) number_whole_states(whole_states);
    return std::move(children_);
  }

  // "~state/0" is in a whole state, or an attribute of another one.
  void number_whole_states(std::size_t count) {
    const bool others = std::ranges::any_of(
        children_.list, [](const Child& child) { return child.part == Part::State; });
    if (count == 1 && !others) return;
    for (Child& child : children_.list) {
      if (child.part == Part::WholeState) number(child);
    }
  }

  // Keys of which none is equal to another keep their places.
  void drop_repeated_keys() {
    std::vector<Child>& list = children_.list;
    FlatIndex by_hash(list.size());
    const auto in_order = [this](const Child& a, const Child& b) { return before(a, b); };
    std::map<Child, std::uint32_t, decltype(in_order)> by_order(in_order);
    // Whoever makes a file can choose keys whose hashes are all the same.
    std::size_t comparisons = 0;
    const std::size_t most_comparisons = 16 * list.size() + 1024;
    const auto first_of = [&](const Child& child, std::uint32_t number) {
      if (comparisons < most_comparisons) {
        return by_hash.find_or_insert(hash(child), number, [&](std::uint32_t n) {
          ++comparisons;
          return same_key(list[n], child);
        });
      }
      if (by_order.empty()) {
        for (std::uint32_t n = 0; n < number; ++n) {
          if (list[n].label == Label::Key) by_order.emplace(list[n], n);
        }
      }
      return by_order.emplace(child, number).first->second;
    };
    std::size_t kept = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto number = static_cast<std::uint32_t>(kept);
      const auto first = list[i].label == Label::Key ? first_of(list[i], number) : number;
      if (first == number) {
        list[kept++] = list[i];
      } else {
        list[first].value = list[i].value;
        children_.repeated_key = list[i].key;
      }
    }
    children_.left_out += list.size() - kept;
    list.resize(kept);
  }

  std::uint64_t hash(const Child& child) const {
    const Kind kind = graph_.kind(child.key);
    if (kText.contains(kind)) return std::hash<std::string_view>()(graph_.text(child.key));
    if (kind == Kind::Int) return static_cast<std::uint64_t>(graph_.int_value(child.key)) + 1;
    if (is_scalar(child.key)) return std::hash<std::string>()(repr(names_, child.key));
    return pickle::index(child.key);
  }

  bool same_key(const Child& a, const Child& b) const {
    if (a.part != b.part) return false;
    if (a.key == b.key) return true;
    const Kind kind = graph_.kind(a.key);
    const Kind other = graph_.kind(b.key);
    if (kText.contains(kind) && kText.contains(other)) {
      return graph_.text(a.key) == graph_.text(b.key);
    }
    if (kind != other) return false;
    if (kind == Kind::Int) return graph_.int_value(a.key) == graph_.int_value(b.key);
    return is_scalar(a.key) && repr(names_, a.key) == repr(names_, b.key);
  }

  // An order in which exactly the keys that are the same are equal.
  bool before(const Child& a, const Child& b) const {
    const auto rank = [this](const Child& child) {
      const Kind kind = graph_.kind(child.key);
      const bool text = kText.contains(kind);
      return std::tuple(child.part, text ? Kind::Str : kind, text || is_scalar(child.key));
    };
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    const auto& [part, kind, scalar] = rank(a);
    if (kind == Kind::Str) return graph_.text(a.key) < graph_.text(b.key);
    if (kind == Kind::Int) return graph_.int_value(a.key) < graph_.int_value(b.key);
    return scalar ? repr(names_, a.key) < repr(names_, b.key) : a.key < b.key;
  }

  // Bytes are objects at protocol 2.
  bool is_scalar(NodeId node) const {
    return graph_.kind(node) <= Kind::Bytes || names_.maker(node).what == Known::Encode ||
           names_.maker(node).what == Known::Bytes;
  }

  void make_distinct() {
    std::unordered_set<std::string> taken;
    for (Child& child : children_.list) {
      if (child.label == Label::Key && kText.contains(graph_.kind(child.key))) continue;
      claim(taken, child);
    }
    for (Child& child : children_.list) {
      if (child.label != Label::Key || !kText.contains(graph_.kind(child.key))) continue;
      child.quoted = taken.contains(segment(child));
      claim(taken, child);
    }
  }

  void claim(std::unordered_set<std::string>& taken, Child& child) {
    if (taken.insert(segment(child)).second) return;
    number(child);
    taken.insert(segment(child));
  }

  void number(Child& child) {
    child.numbered = true;
    child.index = static_cast<std::uint32_t>(&child - children_.list.data());
  }

  std::string segment(const Child& child) const {
    std::string text;
    append_segment(text, names_, child);
    return text;
  }

  const Names& names_;
  const pickle::Graph& graph_;
  Children children_;
  std::uint32_t next_index_ = 0;
};

}  // namespace

Children children_of(const Names& names, NodeId node) {
  return Collector(names).collect(node);
}

Children attributes_of(const Names& names, NodeId state) {
  return Collector(names).collect_attributes(state);
}

std::optional<Setting> setting_of(const Names& names, NodeId node) {
  const pickle::Graph& graph = names.graph();
  const Known maker = names.maker(node).what;
  if (maker != Known::Deque && maker != Known::DefaultDict) return std::nullopt;
  const bool deque = maker == Known::Deque;  // (items, maxlen); (default_factory, items)
  const NodeSpan args = graph.items(graph.args(node));
  const std::size_t place = deque ? 1 : 0;
  if (args.size() <= place || graph.kind(args[place]) == Kind::None) return std::nullopt;
  return Setting{deque ? "maxlen" : "default_factory", args[place]};
}

void append_segment(std::string& path, const Names& names, const Child& child) {
  const pickle::Graph& graph = names.graph();
  path += prefix(child.part);
  if (child.part == Part::Callable || child.part == Part::WholeState) {
    if (child.numbered) path += fmt::format("/~@{}", child.index);
    return;
  }
  if (child.numbered) {
    path += fmt::format("~@{}", child.index);
  } else if (child.label == Label::Index) {
    path += fmt::format("{}", child.index);
  } else if (!kText.contains(graph.kind(child.key))) {
    append_escaped(path, repr(names, child.key));
  } else if (child.quoted) {
    append_escaped(path, repr_str(graph.text(child.key)));
  } else {
    append_escaped(path, graph.text(child.key));
  }
}

}  // namespace ptsd::checkpoint
