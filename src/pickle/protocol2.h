// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/error.h"
#include "pickle/graph.h"

namespace ptsd::pickle {

struct Converted {
  Graph graph;
  NodeId root{};
};

// A copy of what is reachable from a node, with the forms that CPython's pickler gives at protocol
// 2 to what has opcodes of its own only later: bytes by _codecs.encode, byte arrays, sets and
// frozensets by their classes, names with dots by getattr. weights_only accepts no others. `origin`
// names the stream in errors. Throws Error::Unsupported for an object that takes keyword arguments
// (NEWOBJ_EX).
Converted to_protocol2(const Graph& from, NodeId root, unsigned from_protocol, const Where& origin);

}  // namespace ptsd::pickle
