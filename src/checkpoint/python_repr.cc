// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/python_repr.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "checkpoint/numpy_scalar.h"
#include "pickle/kind_names.h"

namespace ptsd::checkpoint {

using pickle::Kind;
using pickle::NodeId;

namespace {

constexpr std::size_t kLongestRepr = 400;  // characters
constexpr unsigned kDeepestRepr = 6;
constexpr std::size_t kMostParts = 1024;       // shared ones count each time
constexpr std::size_t kMostSorted = 64;        // items of a frozenset
constexpr std::size_t kLongestDecimal = 1024;  // bytes

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

// Two's complement, little-endian, to sign and magnitude: words, the most significant first.
std::vector<std::uint32_t> magnitude(std::string_view bytes, bool& negative) {
  negative = !bytes.empty() && (bytes.back() & 0x80) != 0;
  std::vector<std::uint32_t> words((bytes.size() + 3) / 4);
  unsigned carry = negative ? 1 : 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto stored = static_cast<unsigned char>(bytes[i]);
    const unsigned byte = (negative ? 0xFFu - stored : stored) + carry;
    carry = byte >> 8;
    words[i / 4] |= (byte & 0xFF) << (8 * (i % 4));
  }
  std::ranges::reverse(words);
  return words;
}

std::string to_hex(const std::vector<std::uint32_t>& words) {
  std::string out;
  for (const std::uint32_t word : words) {
    out += fmt::format("{:08x}", word);
  }
  return "0x" + out.substr(std::min(out.find_first_not_of('0'), out.size() - 1));
}

std::string to_decimal(std::vector<std::uint32_t> words) {
  constexpr std::uint64_t kChunk = 1'000'000'000;
  std::vector<std::uint64_t> chunks;
  while (std::ranges::any_of(words, [](std::uint32_t word) { return word != 0; })) {
    std::uint64_t rest = 0;
    for (std::uint32_t& word : words) {
      const std::uint64_t value = rest << 32 | word;
      word = static_cast<std::uint32_t>(value / kChunk);
      rest = value % kChunk;
    }
    chunks.push_back(rest);
  }
  if (chunks.empty()) return "0";
  std::string out = fmt::format("{}", chunks.back());
  for (std::size_t i = chunks.size() - 1; i-- > 0;) {
    out += fmt::format("{:09}", chunks[i]);
  }
  return out;
}

class Repr {
 public:
  explicit Repr(const Names& names) : names_(names), graph_(names.graph()) {}

  std::string of(NodeId node) {
    append(node, 0);
    return std::move(out_);
  }

 private:
  void append(NodeId node, unsigned depth) {
    if (out_.size() > kLongestRepr || depth > kDeepestRepr || ++parts_ > kMostParts) {
      out_ += "...";
      return;
    }
    if (append_bytes(node) || append_frozenset(node, depth)) return;
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
      case Kind::Global: append_global(node); return;
      case Kind::ByteArray:
      case Kind::List:
      case Kind::Dict:
      case Kind::Set:
      case Kind::FrozenSet:
      case Kind::Ext:
      case Kind::PersId:
      case Kind::Reduce:
      case Kind::NewObj:
      case Kind::NewObjEx:
      case Kind::Obj: out_ += fmt::format("<{}>", pickle::type_name(graph_.kind(node))); return;
    }
  }

  // At protocol 2 a bytes object is a call.
  bool append_bytes(NodeId node) {
    const Known maker = names_.maker(node).what;
    if (maker != Known::Encode && maker != Known::Bytes) return false;
    const std::optional<std::string> bytes = bytes_of(names_, node);
    if (bytes) out_ += repr_bytes(*bytes);
    return bytes.has_value();
  }

  // A call, too, below protocol 4. Sorted, as each run of Python has an order of its own.
  bool append_frozenset(NodeId node, unsigned depth) {
    const auto nodes = frozenset_items(node);
    if (!nodes) return false;
    std::string before = std::exchange(out_, {});
    std::vector<std::string> items;
    for (std::size_t i = 0; i < nodes->size() && i < kMostSorted; ++i) {
      append((*nodes)[i], depth + 1);
      items.push_back(std::exchange(out_, {}));
    }
    std::ranges::sort(items);
    if (nodes->size() > kMostSorted) items.emplace_back("...");
    out_ = fmt::format("{}frozenset({{{}}})", before, fmt::join(items, ", "));
    return true;
  }

  std::optional<std::vector<NodeId>> frozenset_items(NodeId node) const {
    if (graph_.kind(node) == Kind::FrozenSet) {
      return std::vector(graph_.items(node).begin(), graph_.items(node).end());
    }
    if (names_.maker(node).what != Known::FrozenSet) return std::nullopt;
    std::vector<NodeId> items;
    const auto args = graph_.items(graph_.args(node));
    if (args.empty() || graph_.kind(args[0]) != Kind::List) return std::nullopt;
    for (const pickle::Mutation& mutation : graph_.mutations(args[0])) {
      items.insert(items.end(), mutation.operands.begin(), mutation.operands.end());
    }
    return items;
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

  const Names& names_;
  const pickle::Graph& graph_;
  std::string out_;
  std::size_t parts_ = 0;
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
  std::vector<std::uint32_t> words = magnitude(text, negative);
  const bool large = text.size() > kLongestDecimal;
  return (negative ? "-" : "") + (large ? to_hex(words) : to_decimal(std::move(words)));
}

std::string repr(const Names& names, NodeId node) {
  return Repr(names).of(node);
}

}  // namespace ptsd::checkpoint
