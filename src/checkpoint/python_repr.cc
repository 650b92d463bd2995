// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/python_repr.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "pickle/kind_names.h"

namespace ptsd::checkpoint {

using pickle::Kind;
using pickle::NodeId;

namespace {

constexpr std::size_t kLongestRepr = 400;  // characters
constexpr unsigned kDeepestRepr = 6;
constexpr std::size_t kLongestDecimal = 128;  // bytes

char quote_for(std::string_view text) {
  const bool single = text.find('\'') != std::string_view::npos;
  return single && text.find('"') == std::string_view::npos ? '"' : '\'';
}

void append_char(std::string& out, char c, char quote, bool ascii_only) {
  const auto byte = static_cast<unsigned char>(c);
  if (c == quote || c == '\\') {
    out += '\\';
    out += c;
  } else if (c == '\n') {
    out += "\\n";
  } else if (c == '\r') {
    out += "\\r";
  } else if (c == '\t') {
    out += "\\t";
  } else if (byte < 0x20 || byte == 0x7F || (ascii_only && byte >= 0x80)) {
    out += fmt::format("\\x{:02x}", byte);
  } else {
    out += c;
  }
}

std::string quoted(std::string_view text, bool ascii_only) {
  const char quote = quote_for(text);
  std::string out(1, quote);
  for (const char c : text) {
    append_char(out, c, quote, ascii_only);
  }
  return out + quote;
}

// Two's complement, little-endian, to sign and magnitude, most significant byte first.
std::vector<std::uint8_t> magnitude(std::string_view bytes, bool& negative) {
  negative = !bytes.empty() && (bytes.back() & 0x80) != 0;
  std::vector<std::uint8_t> digits;
  unsigned carry = negative ? 1 : 0;
  for (const char c : bytes) {
    const unsigned byte = (negative ? ~static_cast<unsigned>(c) : static_cast<unsigned>(c)) & 0xFF;
    digits.push_back(static_cast<std::uint8_t>(byte + carry));
    carry = byte + carry > 0xFF ? 1 : 0;
  }
  std::ranges::reverse(digits);
  return digits;
}

std::string to_hex(const std::vector<std::uint8_t>& digits) {
  std::string out = "0x";
  for (const std::uint8_t digit : digits) {
    out += fmt::format("{:02x}", digit);
  }
  return out;
}

std::string to_decimal(std::vector<std::uint8_t> digits) {
  std::string out;
  while (std::ranges::any_of(digits, [](std::uint8_t digit) { return digit != 0; })) {
    unsigned rest = 0;
    for (std::uint8_t& digit : digits) {
      const unsigned value = rest << 8 | digit;
      digit = static_cast<std::uint8_t>(value / 10);
      rest = value % 10;
    }
    out += static_cast<char>('0' + rest);
  }
  std::ranges::reverse(out);
  return out.empty() ? "0" : out;
}

class Repr {
 public:
  explicit Repr(const pickle::Graph& graph) : graph_(graph) {}

  std::string of(NodeId node) {
    append(node, 0);
    return std::move(out_);
  }

 private:
  void append(NodeId node, unsigned depth) {
    if (out_.size() > kLongestRepr || depth > kDeepestRepr) {
      out_ += "...";
      return;
    }
    switch (graph_.kind(node)) {
      case Kind::None: out_ += "None"; return;
      case Kind::True: out_ += "True"; return;
      case Kind::False: out_ += "False"; return;
      case Kind::Int: out_ += fmt::format("{}", graph_.int_value(node)); return;
      case Kind::LongBytes:
      case Kind::LongDigits: out_ += repr_long(graph_, node); return;
      case Kind::Float: out_ += repr(graph_.float_value(node)); return;
      case Kind::Str:
      case Kind::ByteStr: out_ += repr_str(graph_.text(node)); return;
      case Kind::Bytes: out_ += repr_bytes(graph_.text(node)); return;
      case Kind::Tuple: append_items(node, "(", ")", depth); return;
      case Kind::FrozenSet: append_items(node, "frozenset({", "})", depth); return;
      case Kind::Global: append_global(node); return;
      case Kind::ByteArray:
      case Kind::List:
      case Kind::Dict:
      case Kind::Set:
      case Kind::Ext:
      case Kind::PersId:
      case Kind::Reduce:
      case Kind::NewObj:
      case Kind::NewObjEx:
      case Kind::Obj: out_ += fmt::format("<{}>", pickle::type_name(graph_.kind(node))); return;
    }
  }

  void append_items(NodeId node, std::string_view open, std::string_view close, unsigned depth) {
    out_ += open;
    const auto items = graph_.items(node);
    for (std::size_t i = 0; i < items.size() && out_.size() <= kLongestRepr; ++i) {
      if (i > 0) out_ += ", ";
      append(items[i], depth + 1);
    }
    if (items.size() == 1 && graph_.kind(node) == Kind::Tuple) out_ += ",";
    out_ += close;
  }

  void append_global(NodeId node) {
    const pickle::GlobalName name = graph_.global(node);
    out_ += fmt::format("<{}.{}>", name.module, name.name);
  }

  const pickle::Graph& graph_;
  std::string out_;
};

}  // namespace

std::string repr(double value) {
  if (std::isnan(value)) return "nan";
  std::string text = fmt::format("{}", value);
  if (text.find_first_not_of("-0123456789") == std::string::npos) text += ".0";
  return text;
}

std::string repr_str(std::string_view text) {
  return quoted(text, false);
}

std::string repr_bytes(std::string_view bytes) {
  return "b" + quoted(bytes, true);
}

std::string repr_long(const pickle::Graph& graph, NodeId node) {
  const std::string_view text = graph.text(node);
  if (graph.kind(node) == Kind::LongDigits) return std::string(text);
  bool negative = false;
  std::vector<std::uint8_t> digits = magnitude(text, negative);
  const bool large = digits.size() > kLongestDecimal;
  return (negative ? "-" : "") + (large ? to_hex(digits) : to_decimal(std::move(digits)));
}

std::string repr(const pickle::Graph& graph, NodeId node) {
  return Repr(graph).of(node);
}

}  // namespace ptsd::checkpoint
