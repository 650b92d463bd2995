// SPDX-License-Identifier: Apache-2.0
#include "pickle/encoder.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "unit/pickle/encoding.h"

namespace ptsd::pickle {
namespace {

using test::PickleAssembler;

std::string encoded_int(std::int64_t value, unsigned protocol) {
  Graph graph{Bytes()};
  const NodeId root = graph.add_int(value, 0);
  std::string text = text_of(encode(graph, root, protocol).bytes);
  return text.substr(protocol < 2 ? 0 : 2, text.size() - (protocol < 2 ? 1 : 3));
}

std::string only(const PickleAssembler& stream) {
  return text_of(stream.bytes());
}

TEST_CASE("an integer takes the shortest form that the C pickler has for it") {
  CHECK(encoded_int(0, 2) == only(pickle().binint1(0)));
  CHECK(encoded_int(255, 2) == only(pickle().binint1(255)));
  CHECK(encoded_int(256, 2) == only(pickle().binint2(256)));
  CHECK(encoded_int(65535, 2) == only(pickle().binint2(65535)));
  CHECK(encoded_int(65536, 2) == only(pickle().binint(65536)));
  CHECK(encoded_int(-1, 2) == only(pickle().binint(-1)));
  CHECK(encoded_int(2147483647, 2) == only(pickle().binint(2147483647)));
  CHECK(encoded_int(-2147483648LL, 2) == only(pickle().binint(-2147483647 - 1)));
  using namespace std::string_view_literals;
  CHECK(encoded_int(2147483648LL, 2) == only(pickle().long1("\0\0\0\x80\0"sv)));
  CHECK(encoded_int(-2147483649LL, 2) == only(pickle().long1("\xff\xff\xff\x7f\xff"sv)));
  CHECK(encoded_int(-549755813888LL, 2) == only(pickle().long1("\0\0\0\0\x80"sv)));
  CHECK(encoded_int(std::numeric_limits<std::int64_t>::min(), 2) ==
        only(pickle().long1("\0\0\0\0\0\0\0\x80"sv)));
  CHECK(encoded_int(std::numeric_limits<std::int64_t>::max(), 2) ==
        only(pickle().long1("\xff\xff\xff\xff\xff\xff\xff\x7f"sv)));
}

TEST_CASE("protocol 1 writes integers beyond 32 bits and booleans as text") {
  CHECK(encoded_int(2147483648LL, 1) == only(pickle().long_line("2147483648L")));
  CHECK(encoded_int(-2147483649LL, 1) == only(pickle().long_line("-2147483649L")));
  CHECK(encoded_int(70000, 1) == only(pickle().binint(70000)));
  CHECK(stays(pickle().mark().int_line("01").int_line("00").tuple().stop()));
}

TEST_CASE("an integer beyond 64 bits keeps its bytes or its digits") {
  CHECK(stays(pickle().proto(2).long1(std::string(9, '\x11')).stop()));
  CHECK(stays(pickle().proto(2).long1(std::string(255, '\x11')).stop()));
  CHECK(stays(pickle().proto(2).long4(std::string(256, '\x11')).stop()));
  CHECK(stays(pickle().long_line("123456789012345678901234567890L").stop()));
}

TEST_CASE("floats keep their bits, None and booleans are opcodes") {
  CHECK(stays(pickle().proto(2).binfloat(-0.0).binfloat(1.5).none().tuple3().stop()));
  CHECK(stays(pickle().proto(2).binfloat(std::numeric_limits<double>::quiet_NaN()).stop()));
  CHECK(stays(pickle().proto(2).newtrue().newfalse().none().tuple3().stop()));
}

TEST_CASE("text has a short form from protocol 4 on") {
  const std::string of255(255, 'x');
  const std::string of256(256, 'x');
  CHECK(stays(pickle().proto(2).binunicode("").binput(0).stop()));
  CHECK(stays(pickle().proto(3).binunicode(of255).binput(0).stop()));
  CHECK(stays(in_frame(pickle().short_binunicode(of255).memoize())));
  CHECK(stays(in_frame(pickle().binunicode(of256).memoize())));
  CHECK(again(pickle().binunicode8("x").stop()) ==
        text_of(in_frame(pickle().short_binunicode("x"))));
}

TEST_CASE("strings of Python 2, bytes and byte arrays have opcodes of their own") {
  const std::string of255(255, '\xff');
  const std::string of256(256, '\xff');
  CHECK(stays(pickle().proto(2).short_binstring(of255).binput(0).stop()));
  CHECK(stays(pickle().proto(2).binstring(of256).binput(0).stop()));
  CHECK(stays(pickle().proto(3).short_binbytes(of255).binput(0).stop()));
  CHECK(stays(pickle().proto(3).binbytes(of256).binput(0).stop()));
  CHECK(stays(pickle().proto(5).frame(13).bytearray8("ab").memoize().stop()));
}

TEST_CASE("what a protocol has no form for is written as later ones do, PROTO stays") {
  CHECK(stays(pickle().proto(2).short_binbytes("a").binput(0).stop()));
  CHECK(stays(pickle().proto(2).empty_set().binput(0).stop()));
  CHECK(stays(pickle().proto(2).bytearray8("a").stop()));
  CHECK(stays(pickle().proto(3).mark().none().frozenset().stop()));
}

TEST_CASE("protocols below 2 have no PROTO, and 0 is written as 1") {
  CHECK(again(pickle().string_line("'a'").stop()) == text_of(pickle().short_binstring("a").stop()));
  CHECK(stays(pickle().empty_list().binput(0).stop()));
}

TEST_CASE("a tuple of up to three items has an opcode of its own from protocol 2 on") {
  CHECK(stays(pickle().proto(2).empty_tuple().stop()));
  CHECK(stays(pickle().proto(2).none().tuple1().binput(0).stop()));
  CHECK(stays(pickle().proto(2).none().none().tuple2().binput(0).stop()));
  CHECK(stays(pickle().proto(2).none().none().none().tuple3().binput(0).stop()));
  CHECK(stays(pickle().proto(2).mark().none().none().none().none().tuple().binput(0).stop()));
  CHECK(stays(pickle().empty_tuple().stop()));
  CHECK(stays(pickle().mark().none().tuple().binput(0).stop()));
  CHECK(stays(pickle().mark().none().none().none().tuple().binput(0).stop()));
}

TEST_CASE("globals are named as they were") {
  CHECK(stays(pickle().proto(2).global("torch", "FloatStorage").binput(0).stop()));
  CHECK(stays(in_frame(pickle()
                           .short_binunicode("m")
                           .memoize()
                           .binget(0)
                           .stack_global()
                           .memoize()
                           .binget(0)
                           .tuple2()
                           .memoize())));
  CHECK(stays(pickle().proto(2).ext1(5).stop()));
  CHECK(stays(pickle().proto(2).ext2(256).stop()));
  CHECK(stays(pickle().proto(2).ext4(65536).stop()));
}

TEST_CASE("a global that GLOBAL cannot name is refused, STACK_GLOBAL names it") {
  Graph graph{Bytes()};
  const NodeId root = graph.add_global({.module = "m", .name = "a\nb"}, 0);
  CHECK_THROWS_WITH_AS(encode(graph, root, 2),
                       "+0x0: global 'm'.'a\\x0ab': GLOBAL takes UTF-8 without line breaks", Error);
  CHECK_THROWS_WITH_AS(
      encode(graph, root, 2, {.file = "a.pt", .member = "a/data.pkl"}),
      "a.pt: a/data.pkl+0x0: global 'm'.'a\\x0ab': GLOBAL takes UTF-8 without line breaks", Error);
  CHECK(stays(in_frame(pickle().short_binunicode("m").short_binunicode("\n").stack_global())));
}

TEST_CASE("objects are made, filled and given their state in the order of the stream") {
  CHECK(stays(pickle()
                  .proto(2)
                  .global("m", "C")
                  .empty_tuple()
                  .newobj()
                  .binput(0)
                  .none()
                  .append()
                  .none()
                  .none()
                  .setitem()
                  .empty_dict()
                  .build()
                  .none()
                  .build()
                  .none()
                  .append()
                  .stop()));
  CHECK(stays(pickle().proto(2).global("m", "f").none().tuple1().reduce().stop()));
  CHECK(stays(pickle().proto(2).ext1(1).empty_tuple().empty_dict().newobj_ex().stop()));
  CHECK(stays(pickle().mark().global("m", "C").none().obj().binput(0).none().build().stop()));
  CHECK(again(pickle().mark().none().inst("m", "C").stop()) ==
        text_of(pickle().mark().global("m", "C").none().obj().stop()));
}

TEST_CASE("memo numbers count from 0 in the order of the stream") {
  CHECK(again(pickle()
                  .proto(2)
                  .binunicode("a")
                  .long_binput(77)
                  .binunicode("b")
                  .binput(1)
                  .long_binget(77)
                  .tuple3()
                  .stop()) == text_of(pickle()
                                          .proto(2)
                                          .binunicode("a")
                                          .binput(0)
                                          .binunicode("b")
                                          .binput(1)
                                          .binget(0)
                                          .tuple3()
                                          .stop()));
}

TEST_CASE("memo numbers above 255 take four bytes") {
  auto stream = pickle().proto(2).mark();
  for (int i = 0; i < 256; ++i) {
    stream.binunicode("").binput(static_cast<std::uint8_t>(i));
  }
  stream.binunicode("").long_binput(256).binget(255).long_binget(256).tuple();
  CHECK(stays(stream.long_binput(257).stop()));
}

TEST_CASE("only what was memoised or is mentioned again gets a PUT") {
  CHECK(stays(pickle().proto(2).binunicode("a").binunicode("b").binput(0).tuple2().stop()));
  CHECK(again(pickle().proto(2).binunicode("a").dup().tuple2().stop()) ==
        text_of(pickle().proto(2).binunicode("a").binput(0).binget(0).tuple2().stop()));
  CHECK(stays(pickle().proto(2).empty_list().binput(0).binget(0).append().stop()));
}

TEST_CASE("a mention in what the root does not reach does not count") {
  CHECK(again(pickle().proto(2).binunicode("a").dup().tuple1().pop().tuple1().stop()) ==
        text_of(pickle().proto(2).binunicode("a").tuple1().stop()));
}

TEST_CASE("None, booleans, numbers and () never get a PUT") {
  auto stream = pickle().proto(2).mark();
  stream.none().binput(0).newtrue().binput(1).binint2(999).binput(2).binfloat(1).binput(3);
  stream.empty_tuple().binput(4).long1(std::string(9, '\1')).binput(5);
  stream.binget(0).binget(1).binget(2).binget(3).binget(4).binget(5).tuple();
  auto expected = pickle().proto(2).mark();
  for (int i = 0; i < 2; ++i) {
    expected.none().newtrue().binint2(999).binfloat(1).empty_tuple().long1(std::string(9, '\1'));
  }
  CHECK(again(stream.stop()) == text_of(expected.tuple().stop()));
}

TEST_CASE("persistent objects are listed as BINPERSID makes them, and memoised if they were") {
  const Read read(pickle()
                      .proto(2)
                      .binunicode("x")
                      .binpersid()
                      .binput(0)
                      .binunicode("y")
                      .binpersid()
                      .binget(0)
                      .tuple3()
                      .stop());
  const Encoded result = encode(read.graph(), read.root(), 2);
  CHECK(text_of(result.bytes) == text_of(read.stream));
  const std::span<const NodeId> items = read.graph().items(read.root());
  CHECK(result.persistent == std::vector{items[0], items[1]});
}

TEST_CASE("a persistent id that is a line is written as an object") {
  CHECK(again(pickle().persid("id 1").stop()) ==
        text_of(pickle().binunicode("id 1").binpersid().stop()));
}

// Groups.

PickleAssembler group(PickleAssembler stream, int count, Op op, int width) {
  stream.mark();
  for (int i = 0; i < count * width; ++i) {
    stream.none();
  }
  return stream.op(op);
}

struct Grouping {
  int count;
  std::vector<int> groups;  // 1 a single item, 0 an empty group, -1 a group of one
};

void check_groups(const PickleAssembler& empty, Op one, Op many, int width,
                  const std::vector<Grouping>& groupings) {
  for (const Grouping& grouping : groupings) {
    CAPTURE(grouping.count);
    PickleAssembler input = empty;
    for (int i = 0; i < grouping.count; ++i) {
      input = width == 1 && one == many
                  ? group(input, 1, many, 1)
                  : PickleAssembler(input)
                        .raw(std::string(static_cast<std::size_t>(width), 'N'))
                        .op(one);
    }
    PickleAssembler expected = empty;
    for (const int count : grouping.groups) {
      expected = count == 1
                     ? expected.raw(std::string(static_cast<std::size_t>(width), 'N')).op(one)
                     : group(expected, count < 0 ? 1 : count, many, width);
    }
    CHECK(again(input.stop()) == text_of(expected.stop()));
  }
}

TEST_CASE("a list is written in groups of 1000, and an item that is left over is a group") {
  check_groups(pickle().proto(2).empty_list().binput(0), Op::Append, Op::Appends, 1,
               {
                   {0,    {}              },
                   {1,    {1}             },
                   {2,    {2}             },
                   {999,  {999}           },
                   {1000, {1000}          },
                   {1001, {1000, -1}      },
                   {2000, {1000, 1000}    },
                   {2001, {1000, 1000, -1}}
  });
}

TEST_CASE("a dict of a multiple of 1000 ends with an empty group") {
  check_groups(pickle().proto(2).empty_dict().binput(0), Op::SetItem, Op::SetItems, 2,
               {
                   {0,    {}              },
                   {1,    {1}             },
                   {2,    {2}             },
                   {999,  {999}           },
                   {1000, {1000, 0}       },
                   {1001, {1000, -1}      },
                   {2000, {1000, 1000, 0} },
                   {2001, {1000, 1000, -1}}
  });
}

TEST_CASE("a set of a multiple of 1000 ends with an empty group, and has no single items") {
  check_groups(pickle().proto(3).empty_set().binput(0), Op::AddItems, Op::AddItems, 1,
               {
                   {0,    {}             },
                   {1,    {-1}           },
                   {2,    {2}            },
                   {999,  {999}          },
                   {1000, {1000, 0}      },
                   {1001, {1000, -1}     },
                   {2000, {1000, 1000, 0}}
  });
}

TEST_CASE("of the items of an object one that is left over comes singly, and no group is empty") {
  const auto object = pickle().proto(2).global("m", "C").empty_tuple().newobj().binput(0);
  check_groups(object, Op::Append, Op::Appends, 1,
               {
                   {1,    {1}            },
                   {2,    {2}            },
                   {1000, {1000}         },
                   {1001, {1000, 1}      },
                   {2001, {1000, 1000, 1}}
  });
  check_groups(object, Op::SetItem, Op::SetItems, 2,
               {
                   {1,    {1}            },
                   {2,    {2}            },
                   {1000, {1000}         },
                   {1001, {1000, 1}      },
                   {2001, {1000, 1000, 1}}
  });
}

TEST_CASE("neighbours of one kind are one run, others are runs of their own") {
  const auto object = pickle().proto(2).global("m", "C").empty_tuple().newobj();
  CHECK(again(PickleAssembler(object).none().append().mark().none().none().appends().stop()) ==
        text_of(group(object, 3, Op::Appends, 1).stop()));
  CHECK(stays(
      PickleAssembler(object).none().append().none().none().setitem().none().append().stop()));
  CHECK(stays(PickleAssembler(object).none().build().none().build().stop()));
}

// What contains itself.

TEST_CASE("a short tuple that is in its own list is popped item by item and got") {
  CHECK(stays(pickle()
                  .proto(2)
                  .none()
                  .empty_list()
                  .binput(0)
                  .none()
                  .binget(0)
                  .tuple2()
                  .binput(1)
                  .append()
                  .pop()
                  .pop()
                  .binget(1)
                  .stop()));
}

TEST_CASE("a long tuple that is in its own list is popped to its mark") {
  const auto items = pickle().none().none().none();
  CHECK(stays(pickle()
                  .proto(2)
                  .mark()
                  .raw(items.bytes())
                  .empty_list()
                  .binput(0)
                  .mark()
                  .raw(items.bytes())
                  .binget(0)
                  .tuple()
                  .binput(1)
                  .append()
                  .pop_mark()
                  .binget(1)
                  .stop()));
}

TEST_CASE("protocol 1 pops every such tuple to its mark") {
  CHECK(stays(pickle()
                  .mark()
                  .empty_list()
                  .binput(0)
                  .mark()
                  .binget(0)
                  .tuple()
                  .binput(1)
                  .append()
                  .pop_mark()
                  .binget(1)
                  .stop()));
}

TEST_CASE("a frozenset that an element of it holds is popped to its mark") {
  const auto object = pickle().ext1(1).empty_tuple().newobj().memoize();
  CHECK(stays(in_frame(pickle()
                           .mark()
                           .raw(object.bytes())
                           .mark()
                           .binget(0)
                           .frozenset()
                           .memoize()
                           .build()
                           .pop_mark()
                           .binget(1))));
}

TEST_CASE("an object met again in its own arguments is made, popped and got") {
  // f([x]) where x is the object itself; the arguments are another tuple each time.
  CHECK(stays(pickle()
                  .proto(2)
                  .global("m", "f")
                  .binput(0)
                  .empty_list()
                  .binput(1)
                  .binget(0)
                  .binget(1)
                  .tuple1()
                  .binput(2)
                  .reduce()
                  .binput(3)
                  .none()
                  .build()
                  .append()
                  .tuple1()
                  .binput(4)
                  .reduce()
                  .pop()
                  .binget(3)
                  .stop()));
}

TEST_CASE("a list that nothing else mentions is memoised when its tuple is written inside it") {
  CHECK(again(pickle()
                  .proto(2)
                  .empty_list()
                  .dup()
                  .tuple1()
                  .binput(1)
                  .append()
                  .pop()
                  .binget(1)
                  .stop()) == text_of(tuple_in_itself()));
}

TEST_CASE("two lists in one another need no more than one PUT") {
  CHECK(stays(
      pickle().proto(2).empty_list().binput(0).empty_list().binget(0).append().append().stop()));
}

TEST_CASE("a tuple that 20,000 of its items contain is refused") {
  constexpr std::uint32_t kLists = 20'000;
  auto stream = pickle().mark();
  for (std::uint32_t i = 0; i < kLists; ++i) {
    stream.empty_list().long_binput(i);
  }
  stream.tuple().long_binput(kLists);
  for (std::uint32_t i = 0; i < kLists; ++i) {
    stream.long_binget(i).long_binget(kLists).append().pop();
  }
  const Read read(stream.stop());
  CHECK_THROWS_AS(encode(read.graph(), read.root(), 2), Error);
}

}  // namespace
}  // namespace ptsd::pickle
