// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/numpy_scalar.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string_view>

#include "base/utf8.h"
#include "checkpoint/plain_value.h"

namespace ptsd::checkpoint {

using pickle::Kind;
using pickle::KindSet;
using pickle::NodeId;

namespace {

// What _codecs.encode(text, 'latin1') gives, or nothing for a character above U+00FF.
std::optional<std::string> to_latin1(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    const CodePoint point = next_code_point(text);
    if (!point.valid || point.value > 0xFF) return std::nullopt;
    bytes += static_cast<char>(point.value);
    text.remove_prefix(point.size);
  }
  return bytes;
}

template <class T>
Value number(std::string_view bytes) {
  std::array<char, sizeof(T)> raw;
  std::ranges::copy(bytes, raw.begin());
  const T value = std::bit_cast<T>(raw);
  if constexpr (std::is_floating_point_v<T>) return {.value = static_cast<double>(value)};
  if constexpr (std::is_same_v<T, std::uint64_t>) {
    if (value > INT64_MAX) return {.value = std::to_string(value)};
  }
  return {.value = static_cast<std::int64_t>(value)};
}

Value boolean(std::string_view bytes) {
  return {.value = bytes[0] != 0};
}

struct NumpyType {
  std::string_view code;
  std::string_view name;
  std::size_t size;                       // bytes
  Value (*read)(std::string_view bytes);  // little-endian; null: not read
};

constexpr auto kTypes = std::to_array<NumpyType>({
    {"b1",  "bool",       1,  boolean              },
    {"i1",  "int8",       1,  number<std::int8_t>  },
    {"i2",  "int16",      2,  number<std::int16_t> },
    {"i4",  "int32",      4,  number<std::int32_t> },
    {"i8",  "int64",      8,  number<std::int64_t> },
    {"u1",  "uint8",      1,  number<std::uint8_t> },
    {"u2",  "uint16",     2,  number<std::uint16_t>},
    {"u4",  "uint32",     4,  number<std::uint32_t>},
    {"u8",  "uint64",     8,  number<std::uint64_t>},
    {"f2",  "float16",    2,  nullptr              },
    {"f4",  "float32",    4,  number<float>        },
    {"f8",  "float64",    8,  number<double>       },
    {"f16", "longdouble", 16, nullptr              },
    {"c8",  "complex64",  8,  nullptr              },
    {"c16", "complex128", 16, nullptr              },
    {"O8",  "object",     8,  nullptr              },
});

std::string_view code_of(const Names& names, NodeId dtype) {
  const pickle::Graph& graph = names.graph();
  if (names.maker(dtype).what != Known::NumpyDType) return "";
  const auto args = graph.items(graph.args(dtype));
  if (args.empty()) return "";
  const bool text = graph.kind(args[0]) == Kind::Str || graph.kind(args[0]) == Kind::ByteStr;
  return text ? graph.text(args[0]) : "";
}

// The byte order stands in the state: (3, '<', None, None, None, -1, -1, 0).
bool is_big_endian(const Names& names, NodeId dtype) {
  const pickle::Graph& graph = names.graph();
  const auto mutations = graph.mutations(dtype);
  if (mutations.empty()) return false;
  const NodeId state = (*mutations.begin()).operands[0];
  if (graph.kind(state) != Kind::Tuple || graph.items(state).size() < 2) return false;
  const NodeId order = graph.items(state)[1];
  const bool text = graph.kind(order) == Kind::Str || graph.kind(order) == Kind::ByteStr;
  return text && graph.text(order) == ">";
}

const NumpyType* find_type(std::string_view code) {
  const auto* const type = std::ranges::find(kTypes, code, &NumpyType::code);
  return type == kTypes.end() ? nullptr : type;
}

std::span<const NodeId> scalar_args(const Names& names, NodeId node) {
  return names.graph().items(names.graph().args(node));
}

}  // namespace

std::optional<std::string> bytes_of(const Names& names, NodeId node) {
  const pickle::Graph& graph = names.graph();
  const Kind kind = graph.kind(node);
  if (kind == Kind::Bytes || kind == Kind::ByteArray || kind == Kind::ByteStr) {
    return std::string(graph.text(node));
  }
  const Known maker = names.maker(node).what;
  if (maker != Known::Encode && maker != Known::Bytes && maker != Known::ByteArray) {
    return std::nullopt;
  }
  const auto args = graph.items(graph.args(node));
  if (args.empty()) return maker == Known::Encode ? std::nullopt : std::optional(std::string());
  if (maker == Known::Encode) {
    if (graph.kind(args[0]) != Kind::Str) return std::nullopt;
    return to_latin1(graph.text(args[0]));
  }
  // bytearray(text, 'latin-1'), at protocol 2 and below.
  if (maker == Known::ByteArray && args.size() == 2 && graph.kind(args[0]) == Kind::Str) {
    return to_latin1(graph.text(args[0]));
  }
  // bytearray(bytes): one step, since bytes are not made from bytearrays.
  const Known inner = names.maker(args[0]).what;
  const bool nested = inner == Known::Bytes || inner == Known::ByteArray;
  return nested ? std::nullopt : bytes_of(names, args[0]);
}

bool is_bytes(const Names& names, NodeId node) {
  const pickle::Graph& graph = names.graph();
  const Known maker = names.maker(node).what;
  if (maker != Known::Encode && maker != Known::Bytes && maker != Known::ByteArray) return false;
  const auto args = graph.items(graph.args(node));
  if (args.empty()) return true;
  constexpr KindSet kData(Kind::Str, Kind::ByteStr, Kind::Bytes, Kind::ByteArray);
  return args.size() <= 2 &&
         (kData.contains(graph.kind(args[0])) || names.maker(args[0]).what == Known::Encode);
}

NumpyCode numpy_code(const Names& names, NodeId dtype) {
  const std::string_view code = code_of(names, dtype);
  return {.code = code, .big_endian = !code.empty() && is_big_endian(names, dtype)};
}

std::string numpy_dtype_name(const Names& names, NodeId node) {
  const std::string_view code = code_of(names, node);
  const NumpyType* const type = find_type(code);
  return std::string(type != nullptr ? type->name : code.empty() ? "?" : code);
}

std::string numpy_scalar_type(const Names& names, NodeId node) {
  const auto args = scalar_args(names, node);
  return args.empty() ? "numpy.generic" : "numpy." + numpy_dtype_name(names, args[0]);
}

Value numpy_scalar_value(const Names& names, NodeId node) {
  const auto args = scalar_args(names, node);
  if (args.size() != 2) return {};
  std::optional<std::string> bytes = bytes_of(names, args[1]);
  const NumpyType* const type = find_type(code_of(names, args[0]));
  if (!bytes || type == nullptr || type->read == nullptr || type->size != bytes->size()) return {};
  if (is_big_endian(names, args[0])) std::ranges::reverse(*bytes);
  return type->read(*bytes);
}

}  // namespace ptsd::checkpoint
