// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "pickle/graph_copier.h"
#include "unit/pickle/encoding.h"

// Streams that are large or made to be expensive. What would be quadratic or recursive takes
// hours or the stack; what ends them is the time that the runner of the suites gives each.

namespace ptsd::pickle {
namespace {

constexpr int kMany = 1'000'000;

std::string repeated(std::string_view text, int count) {
  std::string out;
  out.reserve(text.size() * static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    out += text;
  }
  return out;
}

TEST_CASE("a tuple a million deep is read, asked and freed without recursion") {
  const Read result(pickle().proto(2).empty_list().raw(repeated("\x85", kMany)).stop());
  CHECK(result.graph().size() == kMany + 1);
  CHECK(!result.graph().hashable(result.root()));
  NodeId at = result.root();
  for (int i = 0; i < kMany; ++i) {
    at = result.graph().items(at)[0];
  }
  CHECK(result.graph().kind(at) == Kind::List);
}

TEST_CASE("lists and dicts a million deep are read") {
  const Read lists(pickle().raw(repeated("]", kMany)).raw(repeated("a", kMany - 1)).stop());
  CHECK(lists.graph().size() == kMany);
  const Read dicts(pickle().raw(repeated("}N", kMany)).none().raw(repeated("s", kMany)).stop());
  CHECK(dicts.graph().size() == kMany + 1);
}

TEST_CASE("objects a million deep are read") {
  const Read result(pickle().global("m", "f").raw(repeated(")R", kMany)).stop());
  CHECK(result.graph().size() == kMany + 2);
}

TEST_CASE("a million marks nest as deep as they are many") {
  const Read result(pickle().raw(repeated("(", kMany)).raw(repeated("t", kMany)).stop());
  CHECK(result.graph().size() == kMany);
  CHECK(refusal(pickle().raw(repeated("(", kMany)).stop()) ==
        "p+0xf4240: STOP needs 1 operand, the stack holds 0 above its mark");
}

TEST_CASE("a billion laughs by memo are as many nodes as the stream has opcodes for") {
  auto laughs = pickle().proto(2).empty_list().memoize();
  for (std::uint32_t i = 0; i < 100; ++i) {
    laughs.pop().long_binget(i).long_binget(i).tuple2().memoize();
  }
  const Read result(laughs.stop());
  CHECK(result.graph().size() == 101);
}

TEST_CASE("a billion laughs by DUP are as many nodes as the stream has opcodes for") {
  auto laughs = pickle().empty_tuple();
  for (int i = 0; i < 100; ++i) {
    laughs.dup().tuple2();
  }
  CHECK(Read(laughs.stop()).graph().size() == 101);
}

TEST_CASE("300,000 MEMOIZE are read in linear time") {
  const Read result(pickle().proto(4).mark().raw(repeated("]\x94", 300'000)).list().stop());
  CHECK(result.graph().size() == 300'001);
}

TEST_CASE("300,000 memo slots far apart are read in n log n") {
  auto stream = pickle().none();
  for (std::uint32_t i = 0; i < 300'000; ++i) {
    stream.long_binput(i * 14'057);  // 2^32 / 14,057 > 300,000
  }
  const Read result(stream.long_binget(299'999 * 14'057u).tuple2().stop());
  CHECK(result.graph().size() == 2);
}

TEST_CASE("a million items are one mutation, and a million SETITEMs a million") {
  const Read wide(pickle().empty_list().mark().raw(repeated("N", kMany)).appends().stop());
  CHECK((*wide.graph().mutations(wide.root()).begin()).operands.size() == kMany);
  const Read many(pickle().empty_dict().raw(repeated("NNs", kMany)).stop());
  int count = 0;
  for (const Mutation& mutation : many.graph().mutations(many.root())) {
    count += mutation.operands.size() == 2 ? 1 : 0;
  }
  CHECK(count == kMany);
}

TEST_CASE("a long name that 200,000 STACK_GLOBALs take from the memo is looked at once") {
  const std::string name(1'000'000, 'n');
  const Read result(pickle()
                        .binunicode(name)
                        .binput(0)
                        .binunicode(name)
                        .binput(1)
                        .mark()
                        .raw(repeated("h\1h\1\x93", 200'000))
                        .tuple()
                        .stop());
  CHECK(result.graph().globals().size() == 1);
  CHECK(result.graph().global_counts()[0] == 200'000);
}

TEST_CASE("100,000 globals with as many names are told apart") {
  auto stream = pickle().mark();
  for (int i = 0; i < 100'000; ++i) {
    stream.global("m", std::to_string(i));
  }
  CHECK(Read(stream.list().stop()).graph().globals().size() == 100'000);
}

// The stream of the graph, and that of a copy of it.
std::string written(const Read& read) {
  const std::string text = encoded(read, 2);
  Graph graph{Bytes()};
  Builder builder(graph, 2);
  const NodeId copy = GraphCopier(read.graph(), 2, builder).copy(read.root());
  CHECK(text_of(encode(graph, copy, 2).bytes) == text);
  return text;
}

TEST_CASE("what is a million deep is written and copied without recursion") {
  const auto tuples = pickle().proto(2).empty_list().raw(repeated("\x85", kMany)).stop();
  CHECK(written(Read(tuples)) == text_of(tuples));
  const auto lists =
      pickle().proto(2).raw(repeated("]", kMany)).raw(repeated("a", kMany - 1)).stop();
  CHECK(written(Read(lists)) == text_of(lists));
  const auto objects =
      pickle().proto(2).global("m", "f").binput(0).raw(repeated(")R", kMany)).stop();
  CHECK(written(Read(objects)) == text_of(objects));
}

TEST_CASE("a million SETITEMs are written in groups") {
  const Read read(pickle().proto(2).empty_dict().raw(repeated("NNs", kMany)).stop());
  CHECK(encoded(read, 2).size() == 3 + kMany * 2 + (kMany / 1000 + 1) * 2 + 1);
}

TEST_CASE("a billion laughs are written with as much sharing as they had") {
  auto laughs = pickle().proto(2).empty_list();
  for (int i = 0; i < 100; ++i) {
    laughs.dup().tuple2();
  }
  CHECK(written(Read(laughs.stop())).size() < 1000);
}

}  // namespace
}  // namespace ptsd::pickle
