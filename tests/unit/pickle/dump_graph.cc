// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/byte_reader.h"
#include "base/bytes.h"
#include "base/error.h"
#include "pickle/import_names.h"
#include "pickle/machine.h"

// For the tests that ask Python: what ptsd makes of the pickles in a file, each of them behind its
// length as four little-endian bytes. Of each, one line for every node, in the order of NodeId:
//
//   kind value-or-references [change references]...
//
// and "root N" after them; or "error TEXT". Text is hexadecimal. With --names, the standard input
// is lines of MODULE NAME and the output their spelling in Python 3.

namespace ptsd::pickle {
namespace {

std::string hex(std::string_view bytes) {
  std::string out = "x";
  for (const char byte : bytes) {
    out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return out;
}

std::string references(std::span<const NodeId> nodes) {
  std::string out = "@";
  for (const NodeId node : nodes) {
    out += fmt::format("{},", index(node));
  }
  return out;
}

std::string object(const Graph& graph, NodeId id) {
  std::vector<NodeId> parts = {graph.callable(id), graph.args(id)};
  if (graph.kind(id) == Kind::NewObjEx) parts.push_back(graph.kwargs(id));
  return references(parts);
}

std::string line(const Graph& graph, NodeId id) {
  switch (graph.kind(id)) {
    case Kind::None: return "none";
    case Kind::False: return "false";
    case Kind::True: return "true";
    case Kind::Int: return fmt::format("int {}", graph.int_value(id));
    case Kind::LongBytes: return "longbytes " + hex(graph.text(id));
    case Kind::LongDigits: return "longdigits " + hex(graph.text(id));
    case Kind::Float: return fmt::format("float {}", graph.float_bits(id));
    case Kind::Str: return "str " + hex(graph.text(id));
    case Kind::ByteStr: return "bytestr " + hex(graph.text(id));
    case Kind::Bytes: return "bytes " + hex(graph.text(id));
    case Kind::ByteArray: return "bytearray " + hex(graph.text(id));
    case Kind::Tuple: return "tuple " + references(graph.items(id));
    case Kind::FrozenSet: return "frozenset " + references(graph.items(id));
    case Kind::List: return "list @";
    case Kind::Dict: return "dict @";
    case Kind::Set: return "set @";
    case Kind::Global:
      return "global " + hex(graph.global(id).module) + ":" + hex(graph.global(id).name);
    case Kind::Ext: return fmt::format("ext {}", graph.ext_code(id));
    case Kind::PersId: return fmt::format("persid @{},", index(graph.persistent_id(id)));
    case Kind::Reduce: return "reduce " + object(graph, id);
    case Kind::NewObj: return "newobj " + object(graph, id);
    case Kind::NewObjEx: return "newobjex " + object(graph, id);
    case Kind::Obj: return "obj " + object(graph, id);
  }
  return "";
}

void dump(Bytes stream) {
  static constexpr std::string_view kChanges[] = {"append", "setitems", "additems", "build"};
  try {
    const Pickle pickle = read_pickle(stream, Where{});
    for (std::uint32_t i = 0; i < pickle.graph.size(); ++i) {
      std::string text = line(pickle.graph, NodeId{i});
      for (const Mutation& mutation : pickle.graph.mutations(NodeId{i})) {
        text += fmt::format(" {} {}", kChanges[static_cast<std::size_t>(mutation.change)],
                            references(mutation.operands));
      }
      fmt::print("{}\n", text);
    }
    fmt::print("root {}\n", index(pickle.root));
  } catch (const Error& error) {
    fmt::print("error {}\n", error.what());
  }
}

std::string read_all(std::FILE* file) {
  std::string text;
  char block[65536];
  while (const std::size_t count = std::fread(block, 1, sizeof block, file)) {
    text.append(block, count);
  }
  return text;
}

void dump_file(const char* path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path, "rb"), std::fclose);
  const std::string text = file ? read_all(file.get()) : "";
  const Where origin = {.file = path};
  ByteReader reader(as_bytes(text), origin);
  while (reader.remaining() > 0) {
    dump(reader.take(reader.u32_le("a length"), "a pickle"));
  }
}

void spell_names(std::string_view lines) {
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    const std::size_t space = line.find(' ');
    const GlobalName name =
        canonical({.module = line.substr(0, space), .name = line.substr(space + 1)});
    fmt::print("{} {}\n", name.module, name.name);
    lines.remove_prefix(line.size() + 1);
  }
}

}  // namespace
}  // namespace ptsd::pickle

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  if (std::string_view(argv[1]) == "--names") {
    ptsd::pickle::spell_names(ptsd::pickle::read_all(stdin));
  } else {
    ptsd::pickle::dump_file(argv[1]);
  }
  return 0;
}
