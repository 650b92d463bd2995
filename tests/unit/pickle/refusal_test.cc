// SPDX-License-Identifier: Apache-2.0
#include <cstddef>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/quote.h"
#include "unit/pickle/reading.h"

// What the machine does not read, with the whole message. Refusals of the decoder are with it.

namespace ptsd::pickle {
namespace {

using namespace std::string_literals;

using Stream = std::vector<std::byte>;

Error::Kind kind_of_refusal(const Stream& stream) {
  try {
    read_pickle(stream, Where{});
  } catch (const Error& error) {
    return error.kind();
  }
  FAIL("the stream was read");
  return {};
}

TEST_CASE("an opcode that finds too few operands is refused") {
  CHECK(refusal(pickle().stop()) == "p+0x0: STOP needs 1 operand, the stack holds 0");
  CHECK(refusal(pickle().pop().stop()) == "p+0x0: POP on an empty stack");
  CHECK(refusal(pickle().dup().stop()) == "p+0x0: DUP needs 1 operand, the stack holds 0");
  CHECK(refusal(pickle().tuple1().stop()) == "p+0x0: TUPLE1 needs 1 operand, the stack holds 0");
  CHECK(refusal(pickle().none().tuple2().stop()) ==
        "p+0x1: TUPLE2 needs 2 operands, the stack holds 1");
  CHECK(refusal(pickle().none().none().tuple3().stop()) ==
        "p+0x2: TUPLE3 needs 3 operands, the stack holds 2");
  CHECK(refusal(pickle().none().append().stop()) ==
        "p+0x1: APPEND needs 2 operands, the stack holds 1");
  CHECK(refusal(pickle().none().none().setitem().stop()) ==
        "p+0x2: SETITEM needs 3 operands, the stack holds 2");
  CHECK(refusal(pickle().none().build().stop()) ==
        "p+0x1: BUILD needs 2 operands, the stack holds 1");
  CHECK(refusal(pickle().none().reduce().stop()) ==
        "p+0x1: REDUCE needs 2 operands, the stack holds 1");
  CHECK(refusal(pickle().newobj().stop()) == "p+0x0: NEWOBJ needs 2 operands, the stack holds 0");
  CHECK(refusal(pickle().none().newobj_ex().stop()) ==
        "p+0x1: NEWOBJ_EX needs 3 operands, the stack holds 1");
  CHECK(refusal(pickle().none().stack_global().stop()) ==
        "p+0x1: STACK_GLOBAL needs 2 operands, the stack holds 1");
  CHECK(refusal(pickle().binpersid().stop()) ==
        "p+0x0: BINPERSID needs 1 operand, the stack holds 0");
  CHECK(refusal(pickle().binput(0).stop()) == "p+0x0: BINPUT needs 1 operand, the stack holds 0");
  CHECK(refusal(pickle().memoize().stop()) == "p+0x0: MEMOIZE needs 1 operand, the stack holds 0");
  CHECK(refusal(pickle().put("0").stop()) == "p+0x0: PUT needs 1 operand, the stack holds 0");
}

TEST_CASE("no opcode takes what lies below the topmost mark") {
  CHECK(refusal(pickle().none().mark().stop()) ==
        "p+0x2: STOP needs 1 operand, the stack holds 0 above its mark");
  CHECK(refusal(pickle().none().mark().none().tuple2().stop()) ==
        "p+0x3: TUPLE2 needs 2 operands, the stack holds 1 above its mark");
  CHECK(refusal(pickle().empty_list().mark().none().append().stop()) ==
        "p+0x3: APPEND needs 2 operands, the stack holds 1 above its mark");
  CHECK(refusal(pickle().none().mark().dup().stop()) ==
        "p+0x2: DUP needs 1 operand, the stack holds 0 above its mark");
  CHECK(refusal(pickle().none().mark().binput(0).stop()) ==
        "p+0x2: BINPUT needs 1 operand, the stack holds 0 above its mark");
}

TEST_CASE("an opcode that works on a marked run needs its mark") {
  for (const Op op : {Op::PopMark, Op::Tuple, Op::List, Op::Dict, Op::FrozenSet, Op::Appends,
                      Op::SetItems, Op::AddItems, Op::Obj}) {
    CHECK(refusal(pickle().empty_list().op(op).stop()) ==
          "p+0x1: " + std::string(name_of(op)) + " needs a MARK, the stack has none");
  }
  CHECK(refusal(pickle().inst("m", "C").stop()) == "p+0x0: INST needs a MARK, the stack has none");
}

TEST_CASE("a marked run is put into what lies below its mark") {
  CHECK(refusal(pickle().mark().none().appends().stop()) ==
        "p+0x2: APPENDS needs an object below its mark, there is none");
  CHECK(refusal(pickle().empty_dict().mark().mark().setitems().stop()) ==
        "p+0x3: SETITEMS needs an object below its mark, there is none");
  CHECK(refusal(pickle().mark().additems().stop()) ==
        "p+0x1: ADDITEMS needs an object below its mark, there is none");
}

TEST_CASE("keys and values come in pairs") {
  CHECK(refusal(pickle().empty_dict().mark().none().none().none().setitems().stop()) ==
        "p+0x5: SETITEMS with 3 operands, keys and values come in pairs");
  CHECK(refusal(pickle().mark().none().dict().stop()) ==
        "p+0x2: DICT with 1 operand, keys and values come in pairs");
}

TEST_CASE("containers take only what Python's would") {
  CHECK(refusal(pickle().empty_dict().none().append().stop()) ==
        "p+0x2: APPEND with a dict as its target");
  CHECK(refusal(pickle().none().mark().none().appends().stop()) ==
        "p+0x3: APPENDS with None as its target");
  CHECK(refusal(pickle().none().mark().appends().stop()) ==
        "p+0x2: APPENDS with None as its target");
  CHECK(refusal(pickle().empty_list().none().none().setitem().stop()) ==
        "p+0x3: SETITEM with a list as its target");
  CHECK(refusal(pickle().persid("t").mark().none().none().setitems().stop()) ==
        "p+0x6: SETITEMS with a persistent object as its target");
  CHECK(refusal(pickle().empty_list().mark().none().additems().stop()) ==
        "p+0x3: ADDITEMS with a list as its target");
  CHECK(refusal(pickle().mark().frozenset().mark().none().additems().stop()) ==
        "p+0x4: ADDITEMS with a frozenset as its target");
}

TEST_CASE("only an object has a state") {
  CHECK(refusal(pickle().binint1(1).empty_dict().build().stop()) ==
        "p+0x3: BUILD with an int as its target");
  CHECK(refusal(pickle().empty_dict().none().build().stop()) ==
        "p+0x2: BUILD with a dict as its target");
  CHECK(refusal(pickle().global("m", "f").none().build().stop()) ==
        "p+0x6: BUILD with a global as its target");
}

TEST_CASE("only what could be a callable is called, with a tuple") {
  CHECK(refusal(pickle().binint1(1).empty_tuple().reduce().stop()) ==
        "p+0x3: REDUCE with an int as the callable");
  CHECK(refusal(pickle().binunicode("os").empty_tuple().reduce().stop()) ==
        "p+0x8: REDUCE with a str as the callable");
  CHECK(refusal(pickle().global("m", "f").empty_list().reduce().stop()) ==
        "p+0x6: REDUCE with a list as the arguments");
  CHECK(refusal(pickle().global("m", "f").none().reduce().stop()) ==
        "p+0x6: REDUCE with None as the arguments");
}

TEST_CASE("only what could be a class makes an object") {
  CHECK(refusal(pickle().none().empty_tuple().newobj().stop()) ==
        "p+0x2: NEWOBJ with None as the class");
  CHECK(refusal(pickle().global("m", "C").newtrue().newobj().stop()) ==
        "p+0x6: NEWOBJ with a bool as the arguments");
  CHECK(refusal(pickle().empty_list().empty_tuple().empty_dict().newobj_ex().stop()) ==
        "p+0x3: NEWOBJ_EX with a list as the class");
  CHECK(refusal(pickle().global("m", "C").empty_tuple().none().newobj_ex().stop()) ==
        "p+0x7: NEWOBJ_EX with None as the keyword arguments");
  CHECK(refusal(pickle().mark().obj().stop()) == "p+0x1: OBJ without a class above its mark");
  CHECK(refusal(pickle().mark().binfloat(1).obj().stop()) ==
        "p+0xa: OBJ with a float as the class");
}

TEST_CASE("what cannot be hashed is no key and no element of a set") {
  CHECK(refusal(pickle().empty_dict().empty_list().none().setitem().stop()) ==
        "p+0x3: SETITEM with a list as a dict key, which cannot be hashed");
  CHECK(refusal(pickle().empty_dict().mark().none().none().empty_dict().none().setitems().stop()) ==
        "p+0x6: SETITEMS with a dict as a dict key, which cannot be hashed");
  CHECK(refusal(pickle().mark().bytearray8("").none().dict().stop()) ==
        "p+0xb: DICT with a bytearray as a dict key, which cannot be hashed");
  CHECK(refusal(pickle().empty_set().mark().empty_set().additems().stop()) ==
        "p+0x3: ADDITEMS with a set as an element of a set, which cannot be hashed");
  CHECK(refusal(pickle().mark().empty_list().frozenset().stop()) ==
        "p+0x2: FROZENSET with a list as an element of a frozenset, which cannot be hashed");
}

TEST_CASE("a tuple that holds a list at any depth cannot be hashed") {
  CHECK(refusal(pickle().empty_dict().empty_list().tuple1().tuple1().none().setitem().stop()) ==
        "p+0x5: SETITEM with a tuple as a dict key, which cannot be hashed");
}

TEST_CASE("a memo slot must be set before it is read") {
  CHECK(refusal(pickle().binget(7).stop()) ==
        "p+0x0: BINGET refers to memo slot 7, which was never set");
  CHECK(refusal(pickle().none().long_binput(4294967295).long_binget(4294967294).stop()) ==
        "p+0x6: LONG_BINGET refers to memo slot 4294967294, which was never set");
  CHECK(refusal(pickle().none().put("5").get("4").stop()) ==
        "p+0x4: GET refers to memo slot 4, which was never set");
}

TEST_CASE("a text index is a decimal number") {
  CHECK(refusal(pickle().none().put("-1").stop()) == "p+0x1: PUT argument '-1' is no memo index");
  CHECK(refusal(pickle().none().put("0x10").stop()) ==
        "p+0x1: PUT argument '0x10' is no memo index");
  CHECK(refusal(pickle().none().put("").stop()) == "p+0x1: PUT argument '' is no memo index");
  CHECK(refusal(pickle().get("9223372036854775808").stop()) ==
        "p+0x0: GET argument '9223372036854775808' is no memo index");
  CHECK(refusal(pickle().get(std::string(400, '9')).stop()) ==
        "p+0x0: GET argument '" + std::string(240, '9') + "…' is no memo index");
}

TEST_CASE("a text integer with a base, a space or a sign is refused and not guessed at") {
  for (const auto* text : {"0x10", "0o17", "0b1", "010", "1_000", " 1", "1 ", "+1", "1\r", "-0", "",
                           "1L", "1.0", "000"}) {
    CHECK(refusal(pickle().int_line(text).stop()) ==
          "p+0x0: INT argument " + quote(text) + " is no decimal integer");
  }
  CHECK(refusal(pickle().long_line("0x10L").stop()) ==
        "p+0x0: LONG argument '0x10L' is no decimal integer");
  CHECK(refusal(pickle().long_line("1LL").stop()) ==
        "p+0x0: LONG argument '1LL' is no decimal integer");
  CHECK(refusal(pickle().long_line("L").stop()) ==
        "p+0x0: LONG argument 'L' is no decimal integer");
}

TEST_CASE("a text float that no double is") {
  CHECK(refusal(pickle().float_line("1e999").stop()) ==
        "p+0x0: FLOAT argument '1e999' is no double");
  CHECK(refusal(pickle().float_line("one\x1b").stop()) ==
        "p+0x0: FLOAT argument 'one\\x1b' is no double");
}

TEST_CASE("a string line is quoted, and its escapes are whole") {
  CHECK(refusal(pickle().string_line("abc").stop()) ==
        "p+0x0: STRING argument 'abc' is no quoted string");
  CHECK(refusal(pickle().string_line(R"('\x4')").stop()) ==
        R"(p+0x0: STRING argument ''\\x4'' is no quoted string)");
  CHECK(refusal(pickle().unicode_line("\\u12").stop()) ==
        R"(p+0x0: UNICODE argument '\\u12' has a broken escape)");
}

TEST_CASE("text that is not UTF-8 is refused") {
  CHECK(refusal(pickle().proto(4).short_binunicode("a\xff").stop()) ==
        "p+0x2: SHORT_BINUNICODE text is not UTF-8: 'a\\xff'");
  CHECK(refusal(pickle().binunicode("\xc0\x80").stop()) ==
        "p+0x0: BINUNICODE text is not UTF-8: '\\xc0\\x80'");
  CHECK(refusal(pickle().binunicode8("\xf4\x90\x80\x80").stop()) ==
        "p+0x0: BINUNICODE8 text is not UTF-8: '\\xf4\\x90\\x80\\x80'");
}

TEST_CASE("the name of a global is text and not empty") {
  CHECK(refusal(pickle().global("", "x").stop()) == "p+0x0: GLOBAL with an empty module name");
  CHECK(refusal(pickle().global("m", "").stop()) == "p+0x0: GLOBAL with an empty qualified name");
  CHECK(refusal(pickle().global("m\xff", "x").stop()) ==
        "p+0x0: GLOBAL with a module name that is not UTF-8: 'm\\xff'");
  CHECK(refusal(pickle().global("m", "\xed\xa0\x80").stop()) ==
        "p+0x0: GLOBAL with a qualified name that is not UTF-8: '\\u{d800}'");
  CHECK(refusal(pickle().mark().inst("m", "").stop()) ==
        "p+0x1: INST with an empty qualified name");
  CHECK(refusal(pickle().binunicode("").binunicode("x").stack_global().stop()) ==
        "p+0xb: STACK_GLOBAL with an empty module name");
  CHECK(refusal(pickle().none().binunicode("x").stack_global().stop()) ==
        "p+0x7: STACK_GLOBAL with None as the module name");
  CHECK(refusal(pickle().binunicode("m").short_binstring("x").stack_global().stop()) ==
        "p+0x9: STACK_GLOBAL with a str as the qualified name");
}

TEST_CASE("an extension code is positive") {
  CHECK(refusal(pickle().ext1(0).stop()) == "p+0x0: EXT1 with code 0, not positive");
  CHECK(refusal(pickle().ext2(0).stop()) == "p+0x0: EXT2 with code 0, not positive");
  CHECK(refusal(pickle().ext4(-1).stop()) == "p+0x0: EXT4 with code -1, not positive");
}

TEST_CASE("a persistent id in text is ASCII") {
  CHECK(refusal(pickle().persid("caf\xc3\xa9").stop()) ==
        "p+0x0: PERSID argument 'café' is not ASCII");
}

TEST_CASE("a protocol above 5 is not supported") {
  CHECK(refusal(pickle().proto(6).none().stop()) ==
        "p+0x0: pickle protocol 6, the highest known is 5");
  CHECK(refusal(pickle().proto(2).proto(255).none().stop()) ==
        "p+0x2: pickle protocol 255, the highest known is 5");
  CHECK(kind_of_refusal(pickle().proto(6).none().stop()) == Error::Kind::Unsupported);
}

TEST_CASE("an object that lies outside the pickle is not supported") {
  CHECK(refusal(pickle().proto(5).next_buffer().stop()) ==
        "p+0x2: NEXT_BUFFER: the object lies in a buffer outside the pickle, which is not here");
  CHECK(refusal(pickle().proto(5).none().readonly_buffer().stop()) ==
        "p+0x3: READONLY_BUFFER: the object lies in a buffer outside the pickle, which is not "
        "here");
  CHECK(kind_of_refusal(pickle().next_buffer().stop()) == Error::Kind::Unsupported);
}

}  // namespace
}  // namespace ptsd::pickle
