// SPDX-License-Identifier: Apache-2.0
#include "pickle/machine.h"

#include <limits>
#include <string>

#include <doctest/doctest.h>

#include "unit/pickle/reading.h"

namespace ptsd::pickle {
namespace {

using namespace std::string_literals;

TEST_CASE("None and the booleans have one node each") {
  CHECK(read(pickle().none().stop()) == "None");
  CHECK(read(pickle().newtrue().stop()) == "True");
  CHECK(read(pickle().int_line("01").stop()) == "True");
  CHECK(read(pickle().int_line("00").stop()) == "False");
  const Read both(pickle().newfalse().int_line("00").tuple2().stop());
  CHECK(both.graph().items(both.root())[0] == both.graph().items(both.root())[1]);
}

TEST_CASE("an integer is the same whichever opcode wrote it") {
  CHECK(read(pickle().binint1(255).stop()) == "255");
  CHECK(read(pickle().binint2(65535).stop()) == "65535");
  CHECK(read(pickle().binint(std::numeric_limits<std::int32_t>::min()).stop()) == "-2147483648");
  CHECK(read(pickle().int_line("5000000000").stop()) == "5000000000");
  CHECK(read(pickle().int_line("0").stop()) == "0");
  CHECK(read(pickle().long_line("-5L").stop()) == "-5");
  CHECK(read(pickle().long_line("5").stop()) == "5");
  CHECK(read(pickle().long1("").stop()) == "0");
  CHECK(read(pickle().long1("\xff").stop()) == "-1");
  CHECK(read(pickle().long4("\x00\x00\x00\x80\x00"s).stop()) == "2147483648");
}

TEST_CASE("an integer over 64 bits keeps all its digits or bytes") {
  CHECK(read(pickle().int_line("9223372036854775808").stop()) == "long 9223372036854775808");
  CHECK(read(pickle().long_line("-9223372036854775809L").stop()) == "long -9223372036854775809");
  CHECK(read(pickle().long1("\0\0\0\0\0\0\0\x80\0"s).stop()) == "long:000000000000008000");
}

TEST_CASE("an integer in more bytes than it needs is what it is") {
  CHECK(read(pickle().long1("\x05"s + std::string(20, '\0')).stop()) == "5");
  CHECK(read(pickle().long4(std::string(1000, '\xff')).stop()) == "-1");
}

TEST_CASE("integers of a million bits and digits are kept and not computed") {
  const std::string bytes(200'000, '\x7f');
  const Read binary(pickle().proto(2).long4(bytes).stop());
  CHECK(binary.graph().kind(binary.root()) == Kind::LongBytes);
  CHECK(binary.graph().text(binary.root()) == bytes);
  const std::string digits(200'000, '7');
  const Read decimal(pickle().long_line(digits + "L").stop());
  CHECK(decimal.graph().kind(decimal.root()) == Kind::LongDigits);
  CHECK(decimal.graph().text(decimal.root()) == digits);
}

TEST_CASE("floats keep their bits") {
  CHECK(read(pickle().binfloat(-1.5).stop()) == "-1.5");
  CHECK(read(pickle().float_line("2.5e-3").stop()) == "0.0025");
  CHECK(read(pickle().float_line("-inf").stop()) == "-inf");
  const Read nan(pickle().raw("G\x7f\xf8\0\0\0\0\0\x07"s).stop());
  CHECK(nan.graph().float_bits(nan.root()) == 0x7FF8'0000'0000'0007);
  const Read zero(pickle().binfloat(-0.0).stop());
  CHECK(zero.graph().float_bits(zero.root()) == std::uint64_t{1} << 63);
}

TEST_CASE("text is Str in each of its forms") {
  CHECK(read(pickle().unicode_line("a\\u20ac\xe9").stop()) == "'a€é'");
  CHECK(read(pickle().binunicode("€").stop()) == "'€'");
  CHECK(read(pickle().short_binunicode("").stop()) == "''");
  CHECK(read(pickle().binunicode8("x").stop()) == "'x'");
}

TEST_CASE("a lone surrogate in text is kept as WTF-8") {
  const Read result(pickle().binunicode("\xed\xa0\x80").stop());
  CHECK(result.graph().text(result.root()) == "\xed\xa0\x80");
  CHECK(describe(result.graph(), result.root()) == "'\\u{d800}'");
}

TEST_CASE("a Python 2 string is bytes that are usually text") {
  CHECK(read(pickle().string_line(R"('a\'\xff')").stop()) == "s'a'\\xff'");
  CHECK(read(pickle().binstring("torch").stop()) == "s'torch'");
  CHECK(read(pickle().short_binstring("\xff").stop()) == "s'\\xff'");
  CHECK(read(pickle().string_line("'\xc3\xa9'").stop()) == "s'é'");
}

TEST_CASE("bytes and byte arrays are apart from text") {
  CHECK(read(pickle().short_binbytes("\x80").stop()) == "b'\\x80'");
  CHECK(read(pickle().binbytes("a").stop()) == "b'a'");
  CHECK(read(pickle().binbytes8("a").stop()) == "b'a'");
  CHECK(read(pickle().bytearray8("a").stop()) == "bytearray'a'");
}

TEST_CASE("a tuple takes its items from the stack") {
  CHECK(read(pickle().empty_tuple().stop()) == "()");
  CHECK(read(pickle().binint1(1).tuple1().stop()) == "(1,)");
  CHECK(read(pickle().binint1(1).binint1(2).tuple2().stop()) == "(1, 2)");
  CHECK(read(pickle().binint1(1).binint1(2).none().tuple3().stop()) == "(1, 2, None)");
  CHECK(read(pickle().mark().binint1(1).binint1(2).none().none().tuple().stop()) ==
        "(1, 2, None, None)");
  CHECK(read(pickle().mark().tuple().stop()) == "()");
}

TEST_CASE("lists are made empty and filled, or made full") {
  CHECK(read(pickle().empty_list().stop()) == "[]");
  CHECK(read(pickle().empty_list().binint1(1).append().stop()) == "[1]");
  CHECK(read(pickle().empty_list().mark().binint1(1).none().appends().none().append().stop()) ==
        "[1, None, None]");
  CHECK(read(pickle().mark().binint1(1).none().list().stop()) == "[1, None]");
  CHECK(read(pickle().mark().list().stop()) == "[]");
}

TEST_CASE("dicts are made empty and filled, or made full") {
  CHECK(read(pickle().empty_dict().stop()) == "{}");
  CHECK(read(pickle().empty_dict().binint1(1).none().setitem().stop()) == "{1: None}");
  CHECK(read(pickle().empty_dict().mark().binint1(1).none().none().binint1(2).setitems().stop()) ==
        "{1: None, None: 2}");
  CHECK(read(pickle().mark().binint1(1).none().dict().stop()) == "{1: None}");
  CHECK(read(pickle().mark().dict().stop()) == "{}");
}

TEST_CASE("a key that is set twice is there twice, in order") {
  CHECK(
      read(pickle().empty_dict().mark().binint1(1).none().binint1(1).newtrue().setitems().stop()) ==
      "{1: None, 1: True}");
}

TEST_CASE("sets are filled, frozen sets are made full") {
  CHECK(read(pickle().empty_set().stop()) == "set{}");
  CHECK(read(pickle().empty_set().mark().binint1(1).none().additems().stop()) == "set{1, None}");
  CHECK(read(pickle().mark().binint1(1).frozenset().stop()) == "frozenset{1}");
  CHECK(read(pickle().mark().frozenset().stop()) == "frozenset{}");
}

TEST_CASE("an empty batch changes nothing") {
  CHECK(read(pickle().empty_list().mark().appends().stop()) == "[]");
  CHECK(read(pickle().empty_dict().mark().setitems().stop()) == "{}");
  CHECK(read(pickle().empty_set().mark().additems().stop()) == "set{}");
}

TEST_CASE("a global is a name and nothing is imported") {
  CHECK(read(pickle().global("os", "system").stop()) == "<os system>");
  CHECK(read(pickle().short_binunicode("a.b").short_binunicode("C.d").stack_global().stop()) ==
        "<a.b C.d>");
  CHECK(read(pickle().unicode_line("m").unicode_line("n").stack_global().stop()) == "<m n>");
  CHECK(read(pickle().global("módulo", "ñ").stop()) == "<módulo ñ>");
}

TEST_CASE("an extension code is a node of its own") {
  CHECK(read(pickle().ext1(255).stop()) == "ext(255)");
  CHECK(read(pickle().ext2(65535).stop()) == "ext(65535)");
  CHECK(read(pickle().ext4(1 << 30).stop()) == "ext(1073741824)");
}

TEST_CASE("objects keep the class or callable and the arguments") {
  CHECK(read(pickle().global("m", "f").binint1(1).tuple1().reduce().stop()) == "call(<m f>, (1,))");
  CHECK(read(pickle().global("m", "C").empty_tuple().newobj().stop()) == "new(<m C>, ())");
  CHECK(read(pickle()
                 .global("m", "C")
                 .empty_tuple()
                 .empty_dict()
                 .binunicode("k")
                 .none()
                 .setitem()
                 .newobj_ex()
                 .stop()) == "newex(<m C>, (), {'k': None})");
  CHECK(read(pickle().mark().global("m", "C").binint1(1).none().obj().stop()) ==
        "obj(<m C>, (1, None))");
  CHECK(read(pickle().mark().global("m", "C").obj().stop()) == "obj(<m C>, ())");
  CHECK(read(pickle().mark().binint1(1).inst("m", "C").stop()) == "obj(<m C>, (1,))");
}

TEST_CASE("what an object made can be called, and so can what a loader provides") {
  CHECK(read(pickle().global("m", "f").empty_tuple().reduce().empty_tuple().reduce().stop()) ==
        "call(call(<m f>, ()), ())");
  CHECK(read(pickle().ext1(1).empty_tuple().newobj().stop()) == "new(ext(1), ())");
  CHECK(read(pickle().persid("7").empty_tuple().reduce().stop()) == "call(pers('7'), ())");
}

TEST_CASE("arguments can be an instance of a subclass of tuple, and keywords of dict") {
  CHECK(read(pickle()
                 .global("m", "f")
                 .global("torch", "Size")
                 .empty_tuple()
                 .newobj()
                 .reduce()
                 .stop()) == "call(<m f>, new(<torch Size>, ()))");
  CHECK(read(pickle()
                 .global("m", "C")
                 .empty_tuple()
                 .global("collections", "OrderedDict")
                 .empty_tuple()
                 .reduce()
                 .newobj_ex()
                 .stop()) == "newex(<m C>, (), call(<collections OrderedDict>, ()))");
}

TEST_CASE("changes to an object are kept apart and in order") {
  CHECK(read(pickle()
                 .global("m", "C")
                 .empty_tuple()
                 .newobj()
                 .mark()
                 .binint1(1)
                 .none()
                 .appends()
                 .binint1(2)
                 .append()
                 .binunicode("k")
                 .none()
                 .setitem()
                 .mark()
                 .binint1(3)
                 .additems()
                 .empty_dict()
                 .build()
                 .none()
                 .build()
                 .stop()) ==
        "new(<m C>, ()).append(1, None).append(2).set('k', None).add(3).build({}).build(None)");
}

TEST_CASE("a persistent id is whatever lies below it") {
  CHECK(read(pickle().binunicode("storage").none().tuple2().binpersid().stop()) ==
        "pers(('storage', None))");
  CHECK(read(pickle().persid("some id").stop()) == "pers('some id')");
  CHECK(read(pickle().persid("").stop()) == "pers('')");
}

TEST_CASE("a warning tells of a state setter, whose call no graph keeps, and only of the first") {
  auto object = pickle().empty_dict().binput(0);
  for (int i = 0; i < 2; ++i) {
    object.global("m", "setter").binget(0).none().tuple2().reduce().pop();
  }
  const auto stream = object.stop();
  CHECK(warning(stream) ==
        "p+0x12: POP discards what a call at 0x11 made of the object below: an edited pickle would "
        "not call it");
  CHECK(read_pickle(stream, Where{}).warnings.size() == 1);
  CHECK(warning(pickle().none().global("m", "f").none().tuple1().reduce().pop().stop()) == "");
  const auto in_itself = pickle().empty_list().binput(0).global("m", "f").binget(0).none().tuple2();
  CHECK(warning(test::PickleAssembler(in_itself).binput(1).reduce().pop().stop()) == "");
}

TEST_CASE("POP takes a value, or a mark that nothing lies on") {
  CHECK(read(pickle().none().binint1(1).pop().stop()) == "None");
  CHECK(read(pickle().none().mark().pop().stop()) == "None");
  CHECK(read(pickle().none().mark().binint1(1).pop().pop().stop()) == "None");
  CHECK(read(pickle().none().mark().binint1(1).binint1(2).pop_mark().stop()) == "None");
}

TEST_CASE("DUP is a second reference to the same object") {
  CHECK(read(pickle().empty_list().dup().tuple2().stop()) == "(#1=[], #1)");
}

TEST_CASE("the memo hands out references, whichever form of PUT and GET is used") {
  CHECK(read(pickle().empty_list().binput(0).binget(0).tuple2().stop()) == "(#1=[], #1)");
  CHECK(read(pickle().empty_list().long_binput(1).binget(1).tuple2().stop()) == "(#1=[], #1)");
  CHECK(read(pickle().empty_list().put("7").long_binget(7).tuple2().stop()) == "(#1=[], #1)");
  CHECK(read(pickle().empty_list().memoize().get("0").tuple2().stop()) == "(#1=[], #1)");
}

TEST_CASE("a container that is filled after a reference was taken is filled for both") {
  CHECK(read(pickle().empty_list().binput(0).binget(0).binint1(1).append().tuple2().stop()) ==
        "(#1=[1], #1)");
}

TEST_CASE("a slot that is set again forgets what it held") {
  CHECK(read(pickle()
                 .binint1(1)
                 .binput(0)
                 .pop()
                 .binunicode("b")
                 .binput(0)
                 .binget(0)
                 .tuple2()
                 .stop()) == "(#1='b', #1)");
}

TEST_CASE("MEMOIZE counts the slots that are set, not the PUTs") {
  CHECK(read(pickle()
                 .empty_list()
                 .binput(0)
                 .binput(0)
                 .empty_dict()
                 .memoize()
                 .binget(1)
                 .tuple3()
                 .stop()) == "([], #1={}, #1)");
}

TEST_CASE("a memo index can be the largest there is") {
  CHECK(
      read(pickle().empty_list().long_binput(0xFFFFFFFF).long_binget(0xFFFFFFFF).tuple2().stop()) ==
      "(#1=[], #1)");
  CHECK(read(pickle()
                 .empty_list()
                 .put("9223372036854775807")
                 .get("9223372036854775807")
                 .tuple2()
                 .stop()) == "(#1=[], #1)");
}

TEST_CASE("a list can hold itself") {
  CHECK(read(pickle().empty_list().binput(0).binget(0).append().stop()) == "#1=[#1]");
}

TEST_CASE("a tuple that holds itself through a list is what CPython writes") {
  CHECK(read(tuple_in_itself()) == "#1=([#1],)");
}

TEST_CASE("two dicts can hold each other") {
  CHECK(read(pickle()
                 .empty_dict()
                 .binput(0)
                 .binunicode("b")
                 .empty_dict()
                 .binunicode("a")
                 .binget(0)
                 .setitem()
                 .setitem()
                 .stop()) == "#1={'b': {'a': #1}}");
}

TEST_CASE("reading ends at STOP and says how far it came") {
  const Read result(pickle().proto(2).none().op(Op::Stop).raw("more").bytes());
  CHECK(result.pickle.size == 4);
  CHECK(result.pickle.warnings.empty());
}

TEST_CASE("the protocol is the declared one, else the highest that an opcode needs") {
  CHECK(Read(pickle().proto(4).none().stop()).pickle.protocol == 4);
  CHECK(Read(pickle().proto(0).newtrue().stop()).pickle.protocol == 0);
  CHECK(Read(pickle().none().stop()).pickle.protocol == 0);
  CHECK(Read(pickle().empty_list().stop()).pickle.protocol == 1);
  CHECK(Read(pickle().short_binunicode("").stop()).pickle.protocol == 4);
  CHECK(Read(pickle().proto(5).proto(2).none().stop()).pickle.protocol == 2);
}

TEST_CASE("opcodes are counted, and the first of each is located") {
  const Read result(pickle().proto(2).none().none().tuple2().stop());
  CHECK(result.pickle.use(Op::None).count == 2);
  CHECK(result.pickle.use(Op::None).first == 2);
  CHECK(result.pickle.use(Op::Tuple2).first == 4);
  CHECK(result.pickle.use(Op::Reduce).count == 0);
}

TEST_CASE("what STOP leaves behind is worth a warning") {
  CHECK(warning(pickle().none().none().stop()) ==
        "p+0x2: STOP leaves 1 value and 0 marks on the stack");
  CHECK(warning(pickle().none().none().mark().mark().none().stop()) ==
        "p+0x5: STOP leaves 2 values and 2 marks on the stack");
  CHECK(warning(pickle().none().stop()) == "");
}

TEST_CASE("a late PROTO and a second PROTO are worth a warning, once each") {
  CHECK(warning(pickle().none().proto(2).stop()) == "p+0x1: PROTO is not the first opcode");
  CHECK(warning(pickle().proto(2).proto(3).none().stop()) == "p+0x2: a second PROTO, 3 after 2");
  auto many = pickle();
  for (int i = 0; i < 1000; ++i) {
    many.none().proto(2).pop();
  }
  CHECK(Read(many.none().stop()).pickle.warnings.size() == 2);
}

TEST_CASE("a stream of Python 2 reads like any other") {
  // cPickle.dumps(OrderedDict([('a', 1L)]), 2): the memo begins at 1.
  CHECK(read(pickle()
                 .proto(2)
                 .global("collections", "OrderedDict")
                 .empty_list()
                 .empty_list()
                 .mark()
                 .short_binstring("a")
                 .long1("\1")
                 .appends()
                 .append()
                 .tuple1()
                 .reduce()
                 .binput(1)
                 .stop()) == "call(<collections OrderedDict>, ([[s'a', 1]],))");
}

TEST_CASE("a text pickle of protocol 0 reads like any other") {
  CHECK(read(pickle()
                 .raw("ccopy_reg\n_reconstructor\np0\n(c__main__\nC\np1\nc__builtin__\nobject\n"
                      "p2\nNtp3\nRp4\n(dp5\nVx\np6\nI1\nsS'y'\nL2L\nsb")
                 .stop()) ==
        "call(<copy_reg _reconstructor>, (<__main__ C>, <__builtin__ object>, None))"
        ".build({'x': 1, s'y': 2})");
}

}  // namespace
}  // namespace ptsd::pickle
