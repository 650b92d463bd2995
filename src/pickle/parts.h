// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

#include "pickle/graph.h"

// What a node is made from: the nodes that a stream pushes before the opcode that makes it, in the
// order of the stream. The items of a tuple; the callable and the arguments of an object (of OBJ
// the class and each argument); the id of a persistent object; the names that STACK_GLOBAL takes.
// What was put into a node later are its mutations.
//
// By parts alone no node leads back to itself: a stream can only push what exists.

namespace ptsd::pickle {

std::size_t part_count(const Graph& graph, NodeId id);

// `at` is below part_count().
NodeId part(const Graph& graph, NodeId id, std::size_t at);

}  // namespace ptsd::pickle
