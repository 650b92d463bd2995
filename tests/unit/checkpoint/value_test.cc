// SPDX-License-Identifier: Apache-2.0
#include "unit/checkpoint/loading.h"

namespace ptsd::checkpoint {
namespace {

using namespace test;
using test::list;
using test::pickle;
using test::tensor;
using namespace std::string_literals;

// "type: value" of the root.
std::string value(const Fragment& root) {
  const Loading loading(root);
  const Names& names = loading.checkpoint.names();
  const Value value = value_of(names, loading.checkpoint.root());
  const std::string* const shown = std::get_if<std::string>(&value.value);
  return type_of(names, loading.checkpoint.root()) + ": " + (shown != nullptr ? *shown : "-");
}

TEST_CASE("a bytes object of protocol 2 is a call") {
  const Fragment encode = global("_codecs", "encode");
  CHECK(value(call(encode, {text("a\xc3\xbf"), text("latin1")})) == "bytes: b'a\\xff'");
  CHECK(value(call(global("__builtin__", "bytes"), {})) == "bytes: b''");
  // Not what Python writes, and no bytes.
  CHECK(value(call(encode, {text("\xc4\x80"), text("latin1")})).starts_with("bytes: "));
  CHECK(value(call(encode, {})).starts_with("bytes: "));
}

TEST_CASE("a bytearray is made from bytes, from text, or from a number") {
  const Fragment bytearray = global("__builtin__", "bytearray");
  CHECK(value(call(bytearray, {fragment(pickle().binbytes("ab"))})) == "bytearray: b'ab'");
  CHECK(value(call(bytearray, {text("\xc3\xbf"), text("latin-1")})) == "bytearray: b'\\xff'");
  CHECK(value(call(bytearray, {})) == "bytearray: b''");
  CHECK(value(call(bytearray, {number(5)})).starts_with("bytearray"));
}

TEST_CASE("a compound value that is too large for one line is listed item by item") {
  const std::vector<std::int64_t> most(64, 1);
  const std::vector<std::int64_t> more(65, 1);
  CHECK(entries(call(global("torch", "Size"), {numbers(most)})).size() == 1);
  CHECK(entries(call(global("torch", "Size"), {numbers(more)})).size() == 65);
}

TEST_CASE("what a file says of a number's size is checked") {
  const Fragment dtype = call(global("numpy", "dtype"), {text("f8"), no(), yes()});
  const Fragment scalar = global("numpy._core.multiarray", "scalar");
  const Loading good(call(scalar, {dtype, fragment(pickle().binbytes("\0\0\0\0\0\0\xf0\x3f"s))}));
  const Value one = value_of(good.checkpoint.names(), good.checkpoint.root());
  CHECK(std::get<double>(one.value) == 1.0);
  CHECK(value(call(scalar, {dtype, fragment(pickle().binbytes("1234"))})) == "numpy.float64: -");
  CHECK(value(call(scalar, {none()})).ends_with(": -"));
}

TEST_CASE("a number of a type that is not read has no value, whatever its size") {
  const Fragment scalar = global("numpy._core.multiarray", "scalar");
  for (const char* const code : {"f2", "f16", "c8", "c16", "O8"}) {
    const Fragment dtype = call(global("numpy", "dtype"), {text(code), no(), yes()});
    for (const std::size_t size : {0u, 2u, 8u, 16u}) {
      const Fragment bytes = fragment(pickle().binbytes(std::string(size, '\0')));
      CHECK(value(call(scalar, {dtype, bytes})).ends_with(": -"));
    }
  }
}

}  // namespace
}  // namespace ptsd::checkpoint
