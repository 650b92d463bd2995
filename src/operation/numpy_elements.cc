// SPDX-License-Identifier: Apache-2.0
#include "operation/numpy_elements.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "checkpoint/numpy_array.h"
#include "checkpoint/numpy_scalar.h"

namespace ptsd::operation {

using checkpoint::Known;
using checkpoint::Names;
using pickle::Kind;
using pickle::NodeId;

namespace {

using Shape = std::vector<std::int64_t>;

std::optional<Shape> sizes_of(const pickle::Graph& graph, NodeId shape) {
  Shape sizes;
  for (const NodeId item : graph.items(shape)) {
    if (graph.kind(item) != Kind::Int || graph.int_value(item) < 0) return std::nullopt;
    sizes.push_back(graph.int_value(item));
  }
  return sizes;
}

// Nothing where the bytes are no multiple of so many elements.
std::optional<std::size_t> item_size(const Shape& shape, std::size_t bytes) {
  std::size_t left = bytes;
  for (const std::int64_t size : shape) {
    const auto divisor = static_cast<std::uint64_t>(size);
    if (divisor == 0 || left % divisor != 0) return std::nullopt;
    left /= static_cast<std::size_t>(divisor);
  }
  return left;
}

// Of bytes whose first index runs fastest.
std::optional<std::string> row_major(std::string_view bytes, const Shape& shape) {
  if (bytes.empty()) return "";
  const std::optional<std::size_t> item = item_size(shape, bytes.size());
  if (!item) return std::nullopt;
  Shape index(shape.size());
  std::string sorted;
  sorted.reserve(bytes.size());
  while (sorted.size() < bytes.size()) {
    std::size_t number = 0;
    for (std::size_t i = shape.size(); i-- > 0;) {
      number = number * static_cast<std::size_t>(shape[i]) + static_cast<std::size_t>(index[i]);
    }
    sorted += bytes.substr(number * *item, *item);
    for (std::size_t i = shape.size(); i-- > 0 && ++index[i] == shape[i];) {
      index[i] = 0;
    }
  }
  return sorted;
}

// _reconstruct(class, ...) makes arrays of subclasses, too.
bool is_plain_array(const Names& names, NodeId node) {
  const pickle::Graph& graph = names.graph();
  if (names.maker(node).what == Known::NumpyFromBuffer) return graph.mutations(node).empty();
  const auto args = graph.items(graph.args(node));
  return !args.empty() && graph.kind(args[0]) == Kind::Global &&
         graph.global(args[0]).name == "ndarray";
}

std::optional<NumpyElements> array_elements(const Names& names, NodeId node) {
  const auto array = find_numpy_array(names, node);
  if (!array || !is_plain_array(names, node)) return std::nullopt;
  std::optional<Shape> shape = sizes_of(names.graph(), array->shape);
  std::optional<std::string> bytes = bytes_of(names, array->data);
  if (!shape || !bytes) return std::nullopt;
  if (array->fortran) bytes = row_major(*bytes, *shape);
  if (!bytes) return std::nullopt;
  return NumpyElements{
      .dtype = array->dtype, .shape = std::move(*shape), .bytes = std::move(*bytes)};
}

std::optional<NumpyElements> scalar_elements(const Names& names, NodeId node) {
  const pickle::Graph& graph = names.graph();
  const auto args = graph.items(graph.args(node));
  if (args.size() != 2 || !graph.mutations(node).empty()) return std::nullopt;
  std::optional<std::string> bytes = bytes_of(names, args[1]);
  if (!bytes) return std::nullopt;
  return NumpyElements{.scalar = true, .dtype = args[0], .bytes = std::move(*bytes)};
}

}  // namespace

std::optional<NumpyElements> numpy_elements(const Names& names, NodeId node) {
  return names.maker(node).what == Known::NumpyScalar ? scalar_elements(names, node)
                                                      : array_elements(names, node);
}

bool is_plain_dtype(const Names& names, NodeId dtype) {
  constexpr std::string_view kPlain = "biufc";
  const std::string_view code = numpy_code(names, dtype).code;
  return !code.empty() && kPlain.find(code.front()) != std::string_view::npos;
}

}  // namespace ptsd::operation
