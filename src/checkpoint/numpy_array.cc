// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/numpy_array.h"

namespace ptsd::checkpoint {

using pickle::Kind;
using pickle::NodeId;

namespace {

// numpy has no more; a longer tuple is no shape, and might be shown any number of times.
constexpr std::size_t kMostDimensions = 64;

constexpr pickle::KindSet kTexts(Kind::Str, Kind::ByteStr);

bool is_shape(const pickle::Graph& graph, NodeId node) {
  return graph.kind(node) == Kind::Tuple && graph.items(node).size() <= kMostDimensions;
}

// The state that _reconstruct's empty array gets: (version, shape, dtype, is_fortran, data).
std::optional<NumpyArray> from_state(const pickle::Graph& graph, NodeId node) {
  for (const pickle::Mutation& mutation : graph.mutations(node)) {
    if (mutation.change != pickle::Change::Build) return std::nullopt;
    const NodeId state = mutation.operands[0];
    if (graph.kind(state) != Kind::Tuple || graph.items(state).size() != 5) return std::nullopt;
    const auto parts = graph.items(state);
    if (!is_shape(graph, parts[1])) return std::nullopt;
    return NumpyArray{.dtype = parts[2],
                      .shape = parts[1],
                      .data = parts[4],
                      .fortran = graph.kind(parts[3]) == Kind::True};
  }
  return std::nullopt;
}

// _frombuffer(data, dtype, shape, order).
std::optional<NumpyArray> from_arguments(const pickle::Graph& graph, NodeId node) {
  const auto args = graph.items(graph.args(node));
  if (args.size() < 3 || !is_shape(graph, args[2])) return std::nullopt;
  const bool fortran =
      args.size() > 3 && kTexts.contains(graph.kind(args[3])) && graph.text(args[3]) == "F";
  return NumpyArray{.dtype = args[1], .shape = args[2], .data = args[0], .fortran = fortran};
}

}  // namespace

std::optional<NumpyArray> find_numpy_array(const Names& names, NodeId node) {
  const pickle::Graph& graph = names.graph();
  const Known maker = names.maker(node).what;
  if (maker == Known::NumpyReconstruct) return from_state(graph, node);
  if (maker == Known::NumpyFromBuffer) return from_arguments(graph, node);
  return std::nullopt;
}

}  // namespace ptsd::checkpoint
