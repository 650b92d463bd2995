// SPDX-License-Identifier: Apache-2.0
#include "unit/pickle/describe.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/quote.h"

namespace ptsd::pickle {
namespace {

constexpr KindSet kWithoutIdentity(Kind::None, Kind::False, Kind::True, Kind::Int);

// What a node is written as: pieces of text with nodes between them.
struct Piece {
  std::string text;
  NodeId node{};
  bool is_node = false;
};

class Pieces {
 public:
  void text(std::string text) { list_.push_back({.text = std::move(text)}); }
  void node(NodeId node) { list_.push_back({.text = {}, .node = node, .is_node = true}); }
  void joined(std::span<const NodeId> nodes) {
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if (i > 0) text(", ");
      node(nodes[i]);
    }
  }
  std::vector<Piece>& list() { return list_; }

 private:
  std::vector<Piece> list_;
};

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return out;
}

void add_scalar(Pieces& out, const Graph& graph, NodeId id) {
  switch (graph.kind(id)) {
    case Kind::None: return out.text("None");
    case Kind::False: return out.text("False");
    case Kind::True: return out.text("True");
    case Kind::Int: return out.text(fmt::format("{}", graph.int_value(id)));
    case Kind::LongBytes: return out.text("long:" + hex(graph.text(id)));
    case Kind::LongDigits: return out.text("long " + std::string(graph.text(id)));
    case Kind::Float: return out.text(fmt::format("{}", graph.float_value(id)));
    case Kind::Str: return out.text(quote(graph.text(id)));
    case Kind::ByteStr: return out.text("s" + quote(graph.text(id)));
    case Kind::Bytes: return out.text("b" + quote(graph.text(id)));
    case Kind::ByteArray: return out.text("bytearray" + quote(graph.text(id)));
    case Kind::Global: {
      const GlobalName name = graph.global(id);
      return out.text(fmt::format("<{} {}>", escape(name.module), escape(name.name)));
    }
    case Kind::Ext: return out.text(fmt::format("ext({})", graph.ext_code(id)));
    default: return;
  }
}

// The contents of a list, set or dict, whatever the batches in which they came.
void add_contents(Pieces& out, const Graph& graph, NodeId id) {
  bool first = true;
  const std::size_t step = graph.kind(id) == Kind::Dict ? 2 : 1;
  for (const Mutation& mutation : graph.mutations(id)) {
    for (std::size_t i = 0; i < mutation.operands.size(); i += step) {
      if (!std::exchange(first, false)) out.text(", ");
      out.node(mutation.operands[i]);
      if (step == 1) continue;
      out.text(": ");
      out.node(mutation.operands[i + 1]);
    }
  }
}

void add_object(Pieces& out, const Graph& graph, NodeId id, std::string name) {
  out.text(std::move(name) + "(");
  out.joined(std::vector{graph.callable(id), graph.args(id)});
  if (graph.kind(id) == Kind::NewObjEx) {
    out.text(", ");
    out.node(graph.kwargs(id));
  }
  out.text(")");
  static constexpr std::string_view kChanges[] = {".append(", ".set(", ".add(", ".build("};
  for (const Mutation& mutation : graph.mutations(id)) {
    out.text(std::string(kChanges[static_cast<std::size_t>(mutation.change)]));
    out.joined(mutation.operands);
    out.text(")");
  }
}

void add_enclosed(Pieces& out, const Graph& graph, NodeId id, std::string open, std::string close) {
  out.text(std::move(open));
  add_contents(out, graph, id);
  out.text(std::move(close));
}

std::vector<Piece> pieces_of(const Graph& graph, NodeId id) {
  Pieces out;
  switch (graph.kind(id)) {
    case Kind::Tuple:
      out.text("(");
      out.joined(graph.items(id));
      out.text(graph.items(id).size() == 1 ? ",)" : ")");
      break;
    case Kind::FrozenSet:
      out.text("frozenset{");
      out.joined(graph.items(id));
      out.text("}");
      break;
    case Kind::List: add_enclosed(out, graph, id, "[", "]"); break;
    case Kind::Dict: add_enclosed(out, graph, id, "{", "}"); break;
    case Kind::Set: add_enclosed(out, graph, id, "set{", "}"); break;
    case Kind::PersId:
      out.text("pers(");
      out.node(graph.persistent_id(id));
      out.text(")");
      break;
    case Kind::Reduce: add_object(out, graph, id, "call"); break;
    case Kind::NewObj: add_object(out, graph, id, "new"); break;
    case Kind::NewObjEx: add_object(out, graph, id, "newex"); break;
    case Kind::Obj: add_object(out, graph, id, "obj"); break;
    default: add_scalar(out, graph, id);
  }
  return std::move(out.list());
}

// How often each node is referred to from what lies below the root.
std::map<NodeId, int> count_references(const Graph& graph, NodeId root) {
  std::map<NodeId, int> references;
  std::vector<NodeId> pending = {root};
  while (!pending.empty()) {
    const NodeId id = pending.back();
    pending.pop_back();
    if (references[id]++ > 0) continue;
    for (const Piece& piece : pieces_of(graph, id)) {
      if (piece.is_node) pending.push_back(piece.node);
    }
  }
  return references;
}

bool has_identity(const Graph& graph, NodeId id) {
  if (kWithoutIdentity.contains(graph.kind(id))) return false;
  return graph.kind(id) != Kind::Tuple || !graph.items(id).empty();
}

}  // namespace

std::string describe(const Graph& graph, NodeId root) {
  std::map<NodeId, int> references = count_references(graph, root);
  std::map<NodeId, std::size_t> numbers;
  std::string out;
  std::vector<Piece> pending = {
      {.text = {}, .node = root, .is_node = true}
  };
  while (!pending.empty()) {
    const Piece piece = std::move(pending.back());
    pending.pop_back();
    if (!piece.is_node) {
      out += piece.text;
      continue;
    }
    if (references[piece.node] > 1 && has_identity(graph, piece.node)) {
      const auto [number, added] = numbers.try_emplace(piece.node, numbers.size() + 1);
      out += fmt::format("#{}", number->second);
      if (!added) continue;
      out += '=';
    }
    std::vector<Piece> pieces = pieces_of(graph, piece.node);
    std::ranges::move(pieces.rbegin(), pieces.rend(), std::back_inserter(pending));
  }
  return out;
}

}  // namespace ptsd::pickle
