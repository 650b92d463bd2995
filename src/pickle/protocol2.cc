// SPDX-License-Identifier: Apache-2.0
#include "pickle/protocol2.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/utf8.h"
#include "pickle/builder.h"
#include "pickle/graph_copier.h"

namespace ptsd::pickle {
namespace {

[[noreturn]] void fail_keywords(Where where, std::uint64_t offset) {
  where.offset = offset;
  throw Error(Error::Kind::Unsupported, where,
              "NEWOBJ_EX: an object with keyword arguments has no form in protocol 2");
}

class Converter {
 public:
  Converter(const Graph& from, unsigned from_protocol, const Where& origin, Graph& to)
      : from_(from), origin_(origin), builder_(to, 2), copier_(from, from_protocol, builder_) {
    builder_.set_origin(origin);
  }

  NodeId run(NodeId root) {
    for (std::uint32_t i = 0; i < from_.size(); ++i) {
      convert(NodeId{i});
    }
    const NodeId copy = copier_.copy(root);
    // Not before everything that takes another form is known.
    for (std::size_t i = 0; i < sets_.size(); ++i) {
      fill(sets_[i].first, sets_[i].second);
    }
    return copy;
  }

 private:
  void convert(NodeId id) {
    switch (from_.kind(id)) {
      case Kind::Bytes: return copier_.substitute(id, bytes(from_.text(id)));
      case Kind::ByteArray: return copier_.substitute(id, byte_array(from_.text(id)));
      case Kind::Set: return convert_set(id, "set");
      case Kind::FrozenSet: return convert_set(id, "frozenset");
      case Kind::Global: return convert_global(id);
      case Kind::NewObjEx: fail_keywords(origin_, from_.offset(id));
      default: return;
    }
  }

  NodeId call(GlobalName function, std::span<const NodeId> args) {
    return builder_.reduce(builder_.global(function), builder_.tuple(args));
  }

  // Each byte is a character of Latin-1.
  NodeId bytes(std::string_view text) {
    if (text.empty()) return call({"__builtin__", "bytes"}, {});
    std::string latin;
    for (const char c : text) {
      append_utf8(latin, static_cast<unsigned char>(c));
    }
    if (!latin1_) latin1_ = builder_.str("latin1");
    return call({"_codecs", "encode"}, std::array{builder_.str(latin), *latin1_});
  }

  NodeId byte_array(std::string_view text) {
    if (text.empty()) return call({"__builtin__", "bytearray"}, {});
    return call({"__builtin__", "bytearray"}, std::array{bytes(text)});
  }

  void convert_set(NodeId id, std::string_view name) {
    const NodeId items = builder_.list({});
    sets_.emplace_back(id, items);
    copier_.substitute(id, call({"__builtin__", name}, std::array{items}));
  }

  void fill(NodeId set, NodeId list) {
    std::vector<NodeId> items;
    for (const NodeId item : from_.items(set)) {
      items.push_back(copier_.copy(item));
    }
    for (const Mutation& mutation : from_.mutations(set)) {
      for (const NodeId item : mutation.operands) {
        items.push_back(copier_.copy(item));
      }
    }
    if (!items.empty()) builder_.graph().mutate(list, Change::Append, items);
  }

  // "A.B" of a module: B of its A.
  void convert_global(NodeId id) {
    const GlobalName name = from_.global(id);
    const std::size_t dot = name.name.find('.');
    if (dot == std::string_view::npos) return;
    NodeId value = builder_.global({name.module, name.name.substr(0, dot)});
    std::string_view rest = name.name.substr(dot + 1);
    while (!rest.empty()) {
      const std::string_view part = rest.substr(0, rest.find('.'));
      rest.remove_prefix(std::min(part.size() + 1, rest.size()));
      value = call({"__builtin__", "getattr"}, std::array{value, builder_.str(part)});
    }
    copier_.substitute(id, value);
  }

  const Graph& from_;
  const Where& origin_;
  Builder builder_;
  GraphCopier copier_;
  std::optional<NodeId> latin1_;
  std::vector<std::pair<NodeId, NodeId>> sets_;  // of the original, and the list of its items
};

}  // namespace

Converted to_protocol2(const Graph& from, NodeId root, unsigned from_protocol,
                       const Where& origin) {
  Converted converted{.graph = Graph(Bytes())};
  converted.root = Converter(from, from_protocol, origin, converted.graph).run(root);
  return converted;
}

}  // namespace ptsd::pickle
