// SPDX-License-Identifier: Apache-2.0
#include "pickle/graph.h"

#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "unit/pickle/reading.h"

namespace ptsd::pickle {
namespace {

std::vector<Change> changes(const Graph& graph, NodeId id) {
  std::vector<Change> out;
  for (const Mutation& mutation : graph.mutations(id)) {
    out.push_back(mutation.change);
  }
  return out;
}

TEST_CASE("every batch is a mutation of its own, in the order of the stream") {
  const Read result(pickle()
                        .empty_list()
                        .mark()
                        .none()
                        .none()
                        .appends()
                        .binint1(1)
                        .append()
                        .mark()
                        .newtrue()
                        .appends()
                        .stop());
  std::vector<std::size_t> sizes;
  for (const Mutation& mutation : result.graph().mutations(result.root())) {
    CHECK(mutation.change == Change::Append);
    sizes.push_back(mutation.operands.size());
  }
  CHECK(sizes == std::vector<std::size_t>{2, 1, 1});
}

TEST_CASE("mutations of two objects that alternate do not mix") {
  const Read result(pickle()
                        .global("m", "C")
                        .empty_tuple()
                        .newobj()
                        .binput(0)
                        .global("m", "D")
                        .empty_tuple()
                        .reduce()
                        .binput(1)
                        .binint1(1)
                        .append()
                        .binget(0)
                        .binint1(2)
                        .append()
                        .binget(1)
                        .empty_dict()
                        .build()
                        .tuple2()
                        .tuple2()
                        .stop());
  const NodeId d = result.graph().items(result.graph().items(result.root())[1])[1];
  CHECK(describe(result.graph(), d) == "call(<m D>, ()).append(1).build({})");
  const NodeId c = result.graph().items(result.graph().items(result.root())[1])[0];
  CHECK(describe(result.graph(), c) == "new(<m C>, ()).append(2)");
}

TEST_CASE("an object keeps what it was made from when it is changed") {
  const Read result(
      pickle().global("m", "C").binint1(1).tuple1().empty_dict().newobj_ex().none().build().stop());
  const Graph& graph = result.graph();
  const NodeId root = result.root();
  CHECK(changes(graph, root) == std::vector{Change::Build});
  CHECK(graph.kind(graph.callable(root)) == Kind::Global);
  CHECK(graph.items(graph.args(root)).size() == 1);
  CHECK(graph.kind(graph.kwargs(root)) == Kind::Dict);
}

TEST_CASE("what was never changed has no mutations") {
  const Read result(pickle().mark().none().empty_dict().global("m", "C").tuple().stop());
  CHECK(result.graph().mutations(result.root()).empty());
  for (const NodeId item : result.graph().items(result.root())) {
    CHECK(result.graph().mutations(item).empty());
  }
}

TEST_CASE("items are of tuples and frozen sets only") {
  const Read result(pickle().global("m", "C").empty_tuple().newobj().none().append().stop());
  CHECK(result.graph().items(result.root()).empty());
  CHECK(Read(pickle().binint2(999).stop()).graph().items(NodeId{0}).empty());
}

TEST_CASE("a node knows the offset of the opcode that made it") {
  const Read result(
      pickle().proto(2).mark().empty_list().binunicode("a").binput(0).binfloat(1).tuple().stop());
  const Graph& graph = result.graph();
  const std::span<const NodeId> items = graph.items(result.root());
  CHECK(graph.offset(items[0]) == 3);
  CHECK(graph.offset(items[1]) == 4);
  CHECK(graph.offset(items[2]) == 12);
  CHECK(graph.offset(result.root()) == 21);
}

TEST_CASE("a node without identity has the offset of its first use") {
  const Read result(pickle().none().pop().binint1(5).none().binint1(5).tuple3().stop());
  const Graph& graph = result.graph();
  const std::span<const NodeId> items = graph.items(result.root());
  CHECK(graph.offset(items[1]) == 0);
  CHECK(items[0] == items[2]);
  CHECK(graph.offset(items[0]) == 2);
}

TEST_CASE("integers above 255, floats and text have a node for each time they are written") {
  const Read ints(pickle().binint2(256).binint2(256).tuple2().stop());
  CHECK(ints.graph().items(ints.root())[0] != ints.graph().items(ints.root())[1]);
  const Read texts(pickle().binunicode("a").binunicode("a").tuple2().stop());
  CHECK(texts.graph().items(texts.root())[0] != texts.graph().items(texts.root())[1]);
}

TEST_CASE("a node knows whether the stream memoised it") {
  const Read result(pickle().binunicode("a").binput(0).binunicode("b").tuple2().memoize().stop());
  const Graph& graph = result.graph();
  CHECK(graph.memoised(result.root()));
  CHECK(graph.memoised(graph.items(result.root())[0]));
  CHECK(!graph.memoised(graph.items(result.root())[1]));
}

TEST_CASE("hashability looks through tuples and no further") {
  const auto hashable = [](std::vector<std::byte> stream) {
    const Read result(std::move(stream));
    return result.graph().hashable(result.root());
  };
  CHECK(hashable(pickle().none().stop()));
  CHECK(hashable(pickle().empty_tuple().stop()));
  CHECK(hashable(pickle().binunicode("a").tuple1().tuple1().stop()));
  CHECK(hashable(pickle().mark().frozenset().tuple1().stop()));
  CHECK(hashable(pickle().global("m", "f").empty_list().tuple1().reduce().stop()));
  CHECK(!hashable(pickle().empty_list().stop()));
  CHECK(!hashable(pickle().none().empty_list().none().tuple3().tuple1().tuple1().stop()));
  CHECK(!hashable(pickle().bytearray8("").tuple1().stop()));
}

TEST_CASE("text that the stream holds is a view of it, decoded text is not") {
  const Read plain(pickle().binunicode("abc").stop());
  const std::string_view text = plain.graph().text(plain.root());
  CHECK(as_bytes(text).data() == plain.stream.data() + 5);
  const Read decoded(pickle().unicode_line("\\u0041bc").string_line("'\\x41'").tuple2().stop());
  const std::span<const NodeId> items = decoded.graph().items(decoded.root());
  CHECK(decoded.graph().text(items[0]) == "Abc");
  CHECK(decoded.graph().text(items[1]) == "A");
}

TEST_CASE("globals are listed once, in order of first mention, with how often they came") {
  const Read result(pickle()
                        .mark()
                        .global("torch", "A")
                        .global("m", "f")
                        .binunicode("torch")
                        .binunicode("A")
                        .stack_global()
                        .mark()
                        .inst("torch", "A")
                        .tuple()
                        .stop());
  const Graph& graph = result.graph();
  REQUIRE(graph.globals().size() == 2);
  CHECK(graph.globals()[0] == GlobalName{.module = "torch", .name = "A"});
  CHECK(graph.globals()[1] == GlobalName{.module = "m", .name = "f"});
  CHECK(graph.global_counts()[0] == 3);
  CHECK(graph.global_counts()[1] == 1);
}

TEST_CASE("names that run together differently are different globals") {
  const Read result(pickle().global("ab", "c").global("a", "bc").tuple2().stop());
  CHECK(result.graph().globals().size() == 2);
}

TEST_CASE("STACK_GLOBAL keeps the strings it took, GLOBAL has none") {
  const Read result(pickle()
                        .binunicode("m")
                        .memoize()
                        .binunicode("n")
                        .stack_global()
                        .binget(0)
                        .global("m", "n")
                        .tuple3()
                        .stop());
  const Graph& graph = result.graph();
  const std::span<const NodeId> items = graph.items(result.root());
  REQUIRE(graph.global_strings(items[0]).has_value());
  CHECK(graph.global_strings(items[0])->module == items[1]);
  CHECK(graph.text(graph.global_strings(items[0])->name) == "n");
  CHECK(!graph.global_strings(items[2]).has_value());
  CHECK(graph.global_index(items[0]) == graph.global_index(items[2]));
}

TEST_CASE("a graph that was moved is the graph") {
  const auto stream =
      pickle().unicode_line("short").global("m", "f").empty_list().none().append().tuple3().stop();
  Pickle first = read_pickle(stream, Where{});
  const Pickle second = std::move(first);
  CHECK(describe(second.graph, second.root) == "('short', <m f>, [None])");
}

}  // namespace
}  // namespace ptsd::pickle
