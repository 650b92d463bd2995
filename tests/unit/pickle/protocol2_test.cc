// SPDX-License-Identifier: Apache-2.0
#include "pickle/protocol2.h"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "pickle/encoder.h"
#include "pickle/machine.h"
#include "unit/pickle/encoding.h"

namespace ptsd::pickle {
namespace {

using test::PickleAssembler;
using namespace std::string_view_literals;

// The stream of protocol 2, between PROTO and STOP, that becomes of one of protocol 4.
std::string converted(PickleAssembler assembler) {
  const std::vector<std::byte> stream = assembler.stop();
  const Where origin = {.member = "p"};
  const Pickle pickle = read_pickle(stream, origin);
  const Converted result = to_protocol2(pickle.graph, pickle.root, 4, origin);
  const std::string text = text_of(encode(result.graph, result.root, 2).bytes);
  return text.substr(2, text.size() - 3);
}

std::string stream_of(const PickleAssembler& assembler) {
  return text_of(assembler.bytes());
}

TEST_CASE("bytes are text of Latin-1, and empty ones a call of their class") {
  CHECK(converted(pickle().proto(4).short_binbytes("a\xff")) ==
        stream_of(pickle()
                      .global("_codecs", "encode")
                      .binput(0)
                      .binunicode("a\xc3\xbf")
                      .binput(1)
                      .binunicode("latin1")
                      .binput(2)
                      .tuple2()
                      .binput(3)
                      .reduce()
                      .binput(4)));
  CHECK(converted(pickle().proto(4).short_binbytes("")) ==
        stream_of(
            pickle().global("__builtin__", "bytes").binput(0).empty_tuple().reduce().binput(1)));
}

TEST_CASE("a set is made from a list of its elements") {
  CHECK(converted(pickle().proto(4).empty_set().mark().binint1(1).binint1(2).additems()) ==
        stream_of(pickle()
                      .global("__builtin__", "set")
                      .binput(0)
                      .empty_list()
                      .binput(1)
                      .mark()
                      .binint1(1)
                      .binint1(2)
                      .appends()
                      .tuple1()
                      .binput(2)
                      .reduce()
                      .binput(3)));
}

TEST_CASE("what is shared stays shared") {
  const std::string twice =
      converted(pickle().proto(4).short_binbytes("x").memoize().binget(0).tuple2());
  CHECK(twice.ends_with(stream_of(pickle().reduce().binput(4).binget(4).tuple2())));
}

TEST_CASE("a class in a class is an attribute of it") {
  CHECK(converted(pickle().proto(4).short_binunicode("m").short_binunicode("A.B").stack_global()) ==
        stream_of(pickle()
                      .global("__builtin__", "getattr")
                      .binput(0)
                      .global("m", "A")
                      .binput(1)
                      .binunicode("B")
                      .binput(2)
                      .tuple2()
                      .binput(3)
                      .reduce()
                      .binput(4)));
}

TEST_CASE("keyword arguments have no form in protocol 2") {
  CHECK_THROWS_WITH_AS(
      converted(pickle().proto(4).global("m", "C").empty_tuple().empty_dict().newobj_ex()),
      doctest::Contains("p+0x"), Error);
}

}  // namespace
}  // namespace ptsd::pickle
