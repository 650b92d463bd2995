// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

#include "base/error.h"
#include "pickle/graph.h"

// The graph back to a stream, in the dialect of CPython's C pickler (Modules/_pickle.c), which is
// that of torch.save: what that pickler wrote and read_pickle() read comes out the same, to the
// byte. So the memo counts from 0 in the order of the stream; items are written in groups of 1000,
// however many mutations brought them; from protocol 4 on there are frames.
//
// A PUT follows what is memoised(), or is mentioned more than once; never None, a boolean, a
// number or (). Who adds a node that CPython would memoise sets that flag.
//
// A node that the protocol has no form for (bytes at 2, a set at 3) is written with the opcode of
// the later protocol, which every Python reads. PROTO says what was asked for all the same: below
// 3 it also says that the globals have Python 2's names, and a reader would look for others.

namespace ptsd::pickle {

struct Encoded {
  std::vector<std::byte> bytes;    // PROTO to STOP
  std::vector<NodeId> persistent;  // PersId nodes, in the order in which BINPERSID makes them
};

// Protocol 0 is written as 1. Throws Error::Unsupported for a global whose name GLOBAL cannot hold
// (a line break, or no UTF-8) and STACK_GLOBAL does not name, and Error::Limit for a Python 2
// string or an integer of 2 GiB and for tuples that contain themselves so often that writing takes
// far longer than reading did; `origin` names the stream in them.
Encoded encode(const Graph& graph, NodeId root, unsigned protocol, const Where& origin = {});

}  // namespace ptsd::pickle
