// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "pickle/builder.h"
#include "unit/pickle/encoding.h"

namespace ptsd::pickle {
namespace {

// The changes to the editing primitives of Graph, and Builder, which adds what they need.

std::string described(const Read& read) {
  return describe(read.graph(), read.root());
}

std::vector<Mutation> mutations_of(const Graph& graph, NodeId id) {
  std::vector<Mutation> out;
  for (const Mutation& mutation : graph.mutations(id)) {
    out.push_back(mutation);
  }
  return out;
}

TEST_CASE("the mutations of a container can be replaced, taken away and added to") {
  Read read(pickle().proto(2).empty_list().none().append().newtrue().append().stop());
  Graph& graph = read.pickle.graph;
  std::vector<Mutation> mutations = mutations_of(graph, read.root());
  std::swap(mutations[0], mutations[1]);
  graph.replace_mutations(read.root(), mutations);
  CHECK(described(read) == "[True, None]");
  graph.replace_mutations(read.root(), {});
  CHECK(graph.mutations(read.root()).empty());
  CHECK(encoded(read, 2) == text_of(pickle().proto(2).empty_list().stop()));
  const NodeId five = Builder(graph, 2).integer(5);
  graph.mutate(read.root(), Change::Append, std::array{five});
  CHECK(described(read) == "[5]");
}

TEST_CASE("the mutations of an object can be replaced, and it keeps what it was made from") {
  Read read(pickle().global("m", "C").empty_tuple().newobj().none().append().none().build().stop());
  Graph& graph = read.pickle.graph;
  std::vector<Mutation> mutations = mutations_of(graph, read.root());
  mutations.erase(mutations.begin());
  graph.replace_mutations(read.root(), mutations);
  CHECK(described(read) == "new(<m C>, ()).build(None)");
  graph.replace_mutations(read.root(), {});
  CHECK(described(read) == "new(<m C>, ())");
}

TEST_CASE("an object that never changed can get mutations, and empty ones are left out") {
  Read read(pickle().global("m", "f").empty_tuple().reduce().stop());
  Graph& graph = read.pickle.graph;
  const std::array one{Builder(graph, 2).integer(1)};
  graph.replace_mutations(read.root(),
                          std::array{
                              Mutation{.change = Change::Append},
                              Mutation{ Change::Append,                     one}
  });
  CHECK(described(read) == "call(<m f>, ()).append(1)");
  CHECK(mutations_of(graph, read.root()).size() == 1);
}

TEST_CASE("an object can be made from something else, changed or not") {
  for (const bool changed : {false, true}) {
    auto stream = pickle().global("m", "f").empty_tuple().reduce();
    if (changed) stream.none().build();
    Read read(stream.stop());
    Graph& graph = read.pickle.graph;
    Builder builder(graph, 2);
    const NodeId args = builder.tuple(std::array{builder.real(0.5)});
    graph.replace_object(read.root(), builder.global({.module = "n", .name = "g"}), args);
    CHECK(described(read) == (changed ? "call(<n g>, (0.5,)).build(None)" : "call(<n g>, (0.5,))"));
  }
}

TEST_CASE("a persistent object can get another id") {
  Read read(pickle().binunicode("a").binpersid().stop());
  Graph& graph = read.pickle.graph;
  const NodeId id = Builder(graph, 2).str("b");
  graph.replace_persistent_id(read.root(), id);
  CHECK(graph.persistent_id(read.root()) == id);
  CHECK(encoded(read, 2) ==
        text_of(pickle().proto(2).binunicode("b").binput(0).binpersid().stop()));
}

TEST_CASE("a global can get another name, which the graph keeps") {
  Read read(pickle().proto(2).global("m", "f").binput(0).stop());
  Graph& graph = read.pickle.graph;
  {
    const std::string module(40, 'x');
    graph.replace_global(read.root(), {.module = module, .name = "g"});
  }
  const std::string module(40, 'x');
  CHECK(graph.global(read.root()) == GlobalName{.module = module, .name = "g"});
  CHECK(graph.global_counts()[0] == 0);
  CHECK(graph.global_counts()[graph.global_index(read.root())] == 1);
  CHECK(encoded(read, 2) == text_of(pickle().proto(2).global(module, "g").binput(0).stop()));
}

TEST_CASE("a global of STACK_GLOBAL gets new strings with its new name") {
  Read read(pickle().proto(4).short_binunicode("m").short_binunicode("f").stack_global().stop());
  read.pickle.graph.replace_global(read.root(), {.module = "n", .name = "g"});
  CHECK(encoded(read, 4) == text_of(in_frame(pickle()
                                                 .short_binunicode("n")
                                                 .memoize()
                                                 .short_binunicode("g")
                                                 .memoize()
                                                 .stack_global())));
}

TEST_CASE("what is built is memoised as CPython does") {
  Graph graph{Bytes()};
  Builder builder(graph, 2);
  const NodeId inner = builder.tuple(std::array{builder.none(), builder.boolean(true)});
  const NodeId list = builder.list(std::array{builder.integer(7), builder.real(1.5), inner});
  const NodeId dict = builder.dict(std::array{builder.str("k"), list});
  const NodeId root = builder.reduce(builder.global({"m", "f"}), builder.tuple(std::array{dict}));
  CHECK(text_of(encode(graph, root, 2).bytes) == text_of(pickle()
                                                             .proto(2)
                                                             .global("m", "f")
                                                             .binput(0)
                                                             .empty_dict()
                                                             .binput(1)
                                                             .binunicode("k")
                                                             .binput(2)
                                                             .empty_list()
                                                             .binput(3)
                                                             .mark()
                                                             .binint1(7)
                                                             .binfloat(1.5)
                                                             .none()
                                                             .newtrue()
                                                             .tuple2()
                                                             .binput(4)
                                                             .appends()
                                                             .setitem()
                                                             .tuple1()
                                                             .binput(5)
                                                             .reduce()
                                                             .binput(6)
                                                             .stop()));
}

TEST_CASE("nothing is put into empty containers that are built") {
  Graph graph{Bytes()};
  Builder builder(graph, 2);
  const std::array parts{builder.list({}), builder.dict({}), builder.tuple({})};
  CHECK(describe(graph, builder.tuple(parts)) == "([], {}, ())");
  CHECK(!graph.memoised(parts[2]));
}

TEST_CASE("a class that is built twice, or is in the graph, is one node") {
  Read read(pickle().global("m", "C").stop());
  Graph& graph = read.pickle.graph;
  Builder builder(graph, 2);
  CHECK(builder.global({.module = "m", .name = "C"}) == read.root());
  const NodeId other = builder.global({.module = "m", .name = "D"});
  CHECK(other != read.root());
  CHECK(builder.global({.module = "m", .name = "D"}) == other);
}

TEST_CASE("a class whose node was named otherwise since gets another node") {
  Graph graph{Bytes()};
  Builder builder(graph, 2);
  const NodeId first = builder.global({.module = "m", .name = "C"});
  graph.replace_global(first, {.module = "m", .name = "D"});
  const NodeId second = builder.global({.module = "m", .name = "C"});
  CHECK(second != first);
  CHECK(graph.global(second) == GlobalName{.module = "m", .name = "C"});
}

TEST_CASE(
    "from protocol 4 on STACK_GLOBAL names the globals that are built, with one string each") {
  Graph graph{Bytes()};
  Builder builder(graph, 4);
  const NodeId c = builder.global({.module = "m", .name = "C"});
  const NodeId root = builder.new_object(c, builder.tuple({}));
  const NodeId m = builder.global({.module = "m", .name = "m"});
  graph.mutate(root, Change::Build, std::array{m});
  CHECK(text_of(encode(graph, root, 4).bytes) == text_of(in_frame(pickle()
                                                                      .short_binunicode("m")
                                                                      .memoize()
                                                                      .short_binunicode("C")
                                                                      .memoize()
                                                                      .stack_global()
                                                                      .memoize()
                                                                      .empty_tuple()
                                                                      .newobj()
                                                                      .memoize()
                                                                      .binget(0)
                                                                      .binget(0)
                                                                      .stack_global()
                                                                      .memoize()
                                                                      .build())));
}

TEST_CASE("a name that GLOBAL cannot hold goes to STACK_GLOBAL, and one of 4 KiB is the longest") {
  Graph graph{Bytes()};
  Builder builder(graph, 2);
  CHECK(graph.global_strings(builder.global({.module = "m", .name = "a\nb"})).has_value());
  CHECK(!graph.global_strings(builder.global({.module = "m", .name = "a"})).has_value());
  const std::string longest(4096, 'x');
  CHECK(graph.global(builder.global({.module = longest, .name = "a"})).module == longest);
  CHECK_THROWS_WITH_AS(builder.global({.module = "m", .name = longest + 'x'}),
                       "the name of a global has 4097 bytes, the longest are 4096", Error);
  builder.set_origin({.file = "a.pt"});
  CHECK_THROWS_WITH_AS(builder.global({.module = "m", .name = longest + 'x'}),
                       "a.pt: the name of a global has 4097 bytes, the longest are 4096", Error);
}

TEST_CASE("a graph can be moved after it was edited") {
  Graph graph{Bytes()};
  Builder builder(graph, 2);
  const NodeId root = builder.tuple(std::array{builder.str("s"), builder.global({"m", "f"})});
  const Graph moved = std::move(graph);
  CHECK(describe(moved, root) == "('s', <m f>)");
}

}  // namespace
}  // namespace ptsd::pickle
