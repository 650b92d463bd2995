// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "pickle/graph.h"

namespace ptsd::pickle {

// The object graph below `root` as one line of text, for the expectations of tests:
//
//   {'a': [1, 2.0, b'x']}             containers with what was put into them
//   call(<m f>, (1,)).set('k', 2)     objects, and each change made to them later
//   [#1='a', #1]                      a node met twice is numbered, and written out once
//
// Walks with a stack of its own.
std::string describe(const Graph& graph, NodeId root);

}  // namespace ptsd::pickle
