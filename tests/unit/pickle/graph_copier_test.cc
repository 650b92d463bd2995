// SPDX-License-Identifier: Apache-2.0
#include "pickle/graph_copier.h"

#include <array>
#include <memory>
#include <string>

#include <doctest/doctest.h>

#include "unit/pickle/encoding.h"

namespace ptsd::pickle {
namespace {

// The stream of a copy in a graph of its own, at the protocol of the original.
std::string copied(const std::vector<std::byte>& stream) {
  auto read = std::make_unique<Read>(stream);
  const unsigned protocol = read->pickle.protocol;
  Graph graph{Bytes()};
  Builder builder(graph, protocol);
  const NodeId root = GraphCopier(read->graph(), protocol, builder).copy(read->root());
  read.reset();  // the copy needs nothing of it
  return text_of(encode(graph, root, protocol).bytes);
}

bool is_copied(const std::vector<std::byte>& stream) {
  return copied(stream) == text_of(stream);
}

TEST_CASE("a copy is written like the original, whatever it is made of") {
  CHECK(is_copied(pickle().proto(2).mark().none().newtrue().newfalse().binint1(1).tuple().stop()));
  CHECK(is_copied(pickle().proto(2).binint(-5).binfloat(1.5).tuple2().binput(0).stop()));
  CHECK(is_copied(pickle().proto(2).long1(std::string(20, '\5')).binunicode("a").tuple2().stop()));
  CHECK(is_copied(pickle().long_line("123456789012345678901234567890L").stop()));
  CHECK(is_copied(pickle().proto(2).short_binstring("a").short_binbytes("b").tuple2().stop()));
  CHECK(is_copied(pickle().proto(5).frame(11).bytearray8("a").stop()));
  CHECK(is_copied(pickle().proto(2).empty_list().binput(0).none().append().stop()));
  CHECK(is_copied(pickle().proto(2).empty_dict().none().none().setitem().stop()));
  CHECK(is_copied(pickle().proto(2).empty_set().mark().none().additems().stop()));
  CHECK(is_copied(pickle().proto(2).mark().none().empty_tuple().frozenset().stop()));
  CHECK(is_copied(pickle().proto(2).global("m", "f").binput(0).ext1(3).tuple2().stop()));
  CHECK(is_copied(pickle().proto(2).binunicode("id").binpersid().stop()));
  CHECK(is_copied(pickle().proto(2).ext1(1).none().tuple1().reduce().none().build().stop()));
  CHECK(is_copied(pickle().proto(2).ext1(1).empty_tuple().newobj().none().append().stop()));
  CHECK(is_copied(pickle().proto(2).ext1(1).empty_tuple().empty_dict().newobj_ex().stop()));
  CHECK(is_copied(pickle().mark().global("m", "C").binput(0).none().obj().stop()));
}

TEST_CASE("sharing and cycles are copied") {
  CHECK(is_copied(pickle().proto(2).binunicode("a").binput(0).binget(0).tuple2().stop()));
  CHECK(is_copied(pickle().proto(2).empty_list().binput(0).binget(0).append().stop()));
  CHECK(is_copied(tuple_in_itself()));
}

TEST_CASE("what two copies share, the graph copied to shares") {
  const Read read(pickle().empty_list().binput(0).binget(0).tuple1().tuple2().stop());
  Graph graph{Bytes()};
  Builder builder(graph, 2);
  GraphCopier copier(read.graph(), 2, builder);
  const std::span<const NodeId> items = read.graph().items(read.root());
  CHECK(!copier.find(items[0]).has_value());
  const NodeId list = copier.copy(items[0]);
  CHECK(copier.find(items[0]) == list);
  CHECK(graph.items(copier.copy(items[1]))[0] == list);
}

TEST_CASE("a node can stand for another in the copy") {
  const Read read(pickle().binunicode("a").dup().empty_list().tuple3().stop());
  Graph graph{Bytes()};
  Builder builder(graph, 2);
  GraphCopier copier(read.graph(), 2, builder);
  copier.substitute(read.graph().items(read.root())[0], builder.str("b"));
  CHECK(describe(graph, copier.copy(read.root())) == "(#1='b', #1, [])");
}

TEST_CASE("globals of one name become one, in the form of the protocol copied to") {
  const Read read(pickle()
                      .proto(4)
                      .short_binunicode("m")
                      .short_binunicode("f")
                      .stack_global()
                      .global("m", "f")
                      .tuple2()
                      .stop());
  Graph graph{Bytes()};
  Builder builder(graph, 2);
  const NodeId root = GraphCopier(read.graph(), 4, builder).copy(read.root());
  CHECK(text_of(encode(graph, root, 2).bytes) ==
        text_of(pickle().proto(2).global("m", "f").binput(0).binget(0).tuple2().stop()));
}

TEST_CASE("Python 2's names become Python 3's where a reader would not map them") {
  const Read read(pickle().proto(2).global("__builtin__", "set").stop());
  for (const unsigned protocol : {2u, 3u}) {
    Graph graph{Bytes()};
    Builder builder(graph, protocol);
    const NodeId root = GraphCopier(read.graph(), 2, builder).copy(read.root());
    CHECK(graph.global(root).module == (protocol == 2 ? "__builtin__" : "builtins"));
  }
}

TEST_CASE("a part of a graph can be copied within it") {
  Read read(pickle().proto(2).empty_list().binput(0).binunicode("a").append().stop());
  Graph& graph = read.pickle.graph;
  Builder builder(graph, 2);
  const NodeId twin = GraphCopier(graph, 2, builder).copy(read.root());
  CHECK(twin != read.root());
  CHECK(describe(graph, twin) == "['a']");
}

}  // namespace
}  // namespace ptsd::pickle
