// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/value.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/utf8.h"
#include "checkpoint/numpy_array.h"
#include "checkpoint/numpy_scalar.h"
#include "checkpoint/python_repr.h"
#include "pickle/import_names.h"
#include "pickle/kind_names.h"

namespace ptsd::checkpoint {

using pickle::Kind;
using pickle::KindSet;
using pickle::NodeId;

namespace {

using NodeSpan = std::span<const NodeId>;

struct View {
  const Names& names;
  const pickle::Graph& graph;
  NodeId node;
  NodeSpan args;
};

std::string arguments_text(const View& view) {
  std::vector<std::string> parts;
  for (const NodeId arg : view.args) {
    parts.push_back(repr(view.names, arg));
  }
  return fmt::format("({})", fmt::join(parts, ", "));
}

std::string named_arguments(const View& view) {
  return type_of(view.names, view.node) + arguments_text(view);
}

// bytes(5) is no text that can be shown.
std::string bytes_text(const View& view) {
  const std::optional<std::string> bytes = bytes_of(view.names, view.node);
  return bytes ? repr_bytes(*bytes) : named_arguments(view);
}

std::string complex_text(const View& view) {
  if (view.args.size() != 2 || view.graph.kind(view.args[0]) != Kind::Float ||
      view.graph.kind(view.args[1]) != Kind::Float) {
    return named_arguments(view);
  }
  const std::string imaginary = repr(view.graph.float_value(view.args[1]));
  return fmt::format("({}{}{}j)", repr(view.graph.float_value(view.args[0])),
                     imaginary.starts_with('-') ? "" : "+", imaginary);
}

std::string text_or_repr(const View& view, NodeId node) {
  const Kind kind = view.graph.kind(node);
  return kind == Kind::Str || kind == Kind::ByteStr ? std::string(view.graph.text(node))
                                                    : repr(view.names, node);
}

std::string device_text(const View& view) {
  std::vector<std::string> parts;
  for (const NodeId arg : view.args) {
    parts.push_back(text_or_repr(view, arg));
  }
  return fmt::format("{}", fmt::join(parts, ":"));
}

std::string first_argument(const View& view) {
  return view.args.empty() ? "" : text_or_repr(view, view.args[0]);
}

std::string path_text(const View& view) {
  std::string path;
  for (const NodeId arg : view.args) {
    if (!path.empty() && !path.ends_with('/') && !path.ends_with('\\')) path += '/';
    path += text_or_repr(view, arg);
  }
  return path.empty() ? "." : path;
}

std::string date_text(const View& view) {
  const auto bytes = view.args.empty() ? std::nullopt : bytes_of(view.names, view.args[0]);
  if (!bytes || (bytes->size() != 4 && bytes->size() != 10)) return named_arguments(view);
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>((*bytes)[i]); };
  std::string text = fmt::format("{:04}-{:02}-{:02}", at(0) << 8 | at(1), at(2) & 0x7F, at(3));
  if (bytes->size() == 4) return text;
  text += fmt::format("T{:02}:{:02}:{:02}", at(4), at(5), at(6));
  const unsigned micro = unsigned{at(7)} << 16 | unsigned{at(8)} << 8 | at(9);
  return micro == 0 ? text : text + fmt::format(".{:06}", micro);
}

std::string fraction_text(const View& view) {
  std::vector<std::string> parts;
  for (const NodeId arg : view.args) {
    parts.push_back(text_or_repr(view, arg));
  }
  return fmt::format("{}", fmt::join(parts, "/"));
}

std::string numpy_array_text(const View& view) {
  const std::optional<NumpyArray> array = find_numpy_array(view.names, view.node);
  if (!array) return "";
  std::vector<std::string> sizes;
  for (const NodeId size : view.graph.items(array->shape)) {
    sizes.push_back(repr(view.names, size));
  }
  return fmt::format("{} [{}]", numpy_dtype_name(view.names, array->dtype), fmt::join(sizes, ", "));
}

struct Compound {
  Known what;
  std::string (*text)(const View& view);
};

constexpr auto kCompounds = std::to_array<Compound>({
    {Known::Encode,           bytes_text      },
    {Known::Bytes,            bytes_text      },
    {Known::ByteArray,        bytes_text      },
    {Known::Complex,          complex_text    },
    {Known::Range,            named_arguments },
    {Known::Slice,            named_arguments },
    {Known::Size,             arguments_text  },
    {Known::Device,           device_text     },
    {Known::GetLayout,        first_argument  },
    {Known::Path,             path_text       },
    {Known::Date,             date_text       },
    {Known::DateTime,         date_text       },
    {Known::TimeDelta,        named_arguments },
    {Known::Decimal,          first_argument  },
    {Known::Fraction,         fraction_text   },
    {Known::NumpyReconstruct, numpy_array_text},
    {Known::NumpyFromBuffer,  numpy_array_text},
});

const Compound* find_compound(Known what) {
  const auto* const row = std::ranges::find(kCompounds, what, &Compound::what);
  return row == kCompounds.end() ? nullptr : row;
}

constexpr KindSet kPlain(Kind::None, Kind::False, Kind::True, Kind::Int, Kind::LongBytes,
                         Kind::LongDigits, Kind::Float, Kind::Str, Kind::ByteStr, Kind::Bytes,
                         Kind::ByteArray, Kind::Global);

// Whether nothing but numbers and text is in there; `depth` bounds the look, and the size of a
// tuple: what is larger is shown item by item.
bool is_plain_value(const Names& names, NodeId node, unsigned depth) {
  constexpr std::size_t kLongestTuple = 64;
  const pickle::Graph& graph = names.graph();
  const Kind kind = graph.kind(node);
  if (kPlain.contains(kind)) return true;
  if (depth == 0) return false;
  if (kind == Kind::Tuple) {
    return graph.items(node).size() <= kLongestTuple &&
           std::ranges::all_of(graph.items(node),
                               [&](NodeId item) { return is_plain_value(names, item, depth - 1); });
  }
  const Known maker = names.maker(node).what;
  return maker == Known::NumpyDType || is_bytes(names, node);
}

std::string qualified(pickle::GlobalName name) {
  name = pickle::canonical(name);
  if (name.module == "builtins" || name.module == "collections") return std::string(name.name);
  return fmt::format("{}.{}", name.module, name.name);
}

std::string object_type(const Names& names, NodeId node) {
  const pickle::Graph& graph = names.graph();
  switch (names.maker(node).what) {
    case Known::Encode: return "bytes";
    case Known::NumpyReconstruct:
    case Known::NumpyFromBuffer: return "numpy.ndarray";
    case Known::NumpyScalar: return numpy_scalar_type(names, node);
    case Known::GetLayout: return "torch.layout";
    case Known::Reconstructor:
      if (const NodeSpan args = graph.items(graph.args(node));
          !args.empty() && graph.kind(args[0]) == Kind::Global) {
        return qualified(graph.global(args[0]));
      }
      break;
    default: break;
  }
  const NodeId callable = graph.callable(node);
  return graph.kind(callable) == Kind::Global ? qualified(graph.global(callable)) : "object";
}

Value scalar(const pickle::Graph& graph, NodeId node) {
  switch (graph.kind(node)) {
    case Kind::False: return {.value = false};
    case Kind::True: return {.value = true};
    case Kind::Int: return {.value = graph.int_value(node)};
    case Kind::LongBytes:
    case Kind::LongDigits: return {.value = repr_long(graph, node)};
    case Kind::Float: return {.value = graph.float_value(node)};
    case Kind::Str:
    case Kind::ByteStr: return {.value = std::string(graph.text(node)), .is_str = true};
    case Kind::Bytes:
    case Kind::ByteArray: return {.value = repr_bytes(graph.text(node))};
    case Kind::Global: return {.value = qualified(graph.global(node))};
    case Kind::Ext: return {.value = graph.ext_code(node)};
    default: return {};
  }
}

// torch.Size((2, 3)) as its numbers.
std::optional<std::vector<std::int64_t>> sizes_of(const pickle::Graph& graph, NodeSpan args) {
  std::vector<std::int64_t> sizes;
  if (args.empty()) return sizes;
  if (graph.kind(args[0]) != Kind::Tuple) return std::nullopt;
  for (const NodeId item : graph.items(args[0])) {
    if (graph.kind(item) != Kind::Int) return std::nullopt;
    sizes.push_back(graph.int_value(item));
  }
  return sizes;
}

}  // namespace

std::string type_of(const Names& names, NodeId node) {
  const pickle::Graph& graph = names.graph();
  if (pickle::kObjects.contains(graph.kind(node))) return object_type(names, node);
  switch (names.known(node).what) {
    case Known::DType: return "torch.dtype";
    case Known::QScheme: return "torch.qscheme";
    default: return std::string(pickle::type_name(graph.kind(node)));
  }
}

bool is_compound_value(const Names& names, NodeId node) {
  const Known maker = names.maker(node).what;
  if (maker == Known::Unknown) return false;
  const pickle::Graph& graph = names.graph();
  if (maker == Known::NumpyReconstruct || maker == Known::NumpyFromBuffer) {
    const std::optional<NumpyArray> array = find_numpy_array(names, node);
    return array && is_plain_value(names, array->data, 1);
  }
  if (maker == Known::NumpyScalar || find_compound(maker) != nullptr) {
    constexpr std::size_t kMostArguments = 64;  // the parts of a path
    const NodeSpan args = graph.items(graph.args(node));
    return graph.mutations(node).empty() && args.size() <= kMostArguments &&
           std::ranges::all_of(args, [&](NodeId arg) { return is_plain_value(names, arg, 2); });
  }
  return false;
}

Value value_of(const Names& names, NodeId node) {
  const pickle::Graph& graph = names.graph();
  if (!pickle::kObjects.contains(graph.kind(node))) return scalar(graph, node);
  const Known maker = names.maker(node).what;
  const NodeSpan args = graph.items(graph.args(node));
  if (maker == Known::Size) {
    if (auto sizes = sizes_of(graph, args)) return {.value = std::move(*sizes)};
  }
  if (maker == Known::NumpyScalar) return numpy_scalar_value(names, node);
  const Compound* const compound = find_compound(maker);
  if (compound == nullptr || !is_compound_value(names, node)) return {};
  return {.value = compound->text({names, graph, node, args})};
}

}  // namespace ptsd::checkpoint
