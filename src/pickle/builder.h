// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "pickle/graph.h"

// Adds to a graph what CPython's pickler would write at a protocol: strings, containers, globals
// and objects are memoised, and from protocol 4 on STACK_GLOBAL names the globals.
//
// The name of a global is written as it is given; below protocol 3 that has to be Python 2's name.

namespace ptsd::pickle {

class Builder {
 public:
  // Borrows `graph`.
  Builder(Graph& graph, unsigned protocol) : graph_(graph), protocol_(protocol) {}

  // Where the names come from that global() is given, for its error.
  void set_origin(const Where& origin) { origin_ = origin; }

  Graph& graph() { return graph_; }
  unsigned protocol() const { return protocol_; }

  NodeId none() { return graph_.add(Kind::None, 0); }
  NodeId boolean(bool value) { return graph_.add(value ? Kind::True : Kind::False, 0); }
  NodeId integer(std::int64_t value) { return graph_.add_int(value, 0); }
  NodeId real(double value);
  // Another node for every call, as for strings that were built one by one.
  NodeId str(std::string_view text) { return text_of(Kind::Str, text); }
  NodeId tuple(std::span<const NodeId> items);
  NodeId list(std::span<const NodeId> items);
  NodeId dict(std::span<const NodeId> keys_and_values);
  // The same node for the same name, because there is one such class: that of the graph, if it has
  // one. Below protocol 4 too STACK_GLOBAL names what GLOBAL cannot. Throws Error::Limit for a
  // module or name of more than 4 KiB, which looking up and writing again and again is no match
  // for.
  NodeId global(GlobalName name);
  NodeId reduce(NodeId callable, NodeId args);
  NodeId new_object(NodeId cls, NodeId args);
  NodeId persistent(NodeId id) { return graph_.add_persistent(id, 0); }

  // Str, ByteStr, Bytes, ByteArray, LongBytes, LongDigits.
  NodeId text_of(Kind kind, std::string_view text);

 private:
  using Names = std::pair<std::string_view, std::string_view>;

  NodeId memoised(NodeId id);
  NodeId filled(Kind kind, Change change, std::span<const NodeId> operands);
  void check_length(std::string_view name) const;
  NodeId new_global(GlobalName name);
  NodeId name(std::string_view text);
  void find_globals();

  Graph& graph_;
  unsigned protocol_;
  Where origin_;
  bool has_found_globals_ = false;
  std::map<Names, NodeId> globals_;
  std::map<std::string_view, NodeId> names_;  // strings that STACK_GLOBAL takes
};

}  // namespace ptsd::pickle
