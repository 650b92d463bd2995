// SPDX-License-Identifier: Apache-2.0
#include "format/bare_pickle.h"

#include "format/probe.h"
#include "support/refusal.h"
#include "unit/checkpoint/loading.h"
#include "unit/format/legacy_stream.h"

namespace ptsd::format {
namespace {

using namespace test;
using checkpoint::texts;
using test::list;
using test::pickle;
using test::tensor;
using Lines = std::vector<std::string>;

MemorySource memory(std::string_view bytes) {
  return {
      "f", {as_bytes(bytes).begin(), as_bytes(bytes).end()}
  };
}

std::string refusal(const std::string& bytes) {
  const MemorySource source = memory(bytes);
  return refused([&] { load(source, Limits{}); });
}

std::string pickled(const Fragment& root, std::uint8_t protocol = 4) {
  return fragment(pickle().proto(protocol)) + root + ".";
}

Fragment bytes(std::string_view text) {
  return fragment(pickle().binbytes(text));
}

// A storage of two numbers, as torch pickles one outside torch.save.
std::string stream() {
  return LegacyStream{
      .root = legacy_storage("7", 2), .tail = LegacyStream::data({{"7", "01234567"}}
            )
  }
      .text_of();
}

Fragment from_bytes(const Fragment& data) {
  return call(global("torch.storage", "_load_from_bytes"), {data});
}

Fragment dtype(std::string_view code, std::string_view order) {
  return build(
      call(global("numpy", "dtype"), {text(code), no(), yes()}),
      tuple({number(3), text(order), none(), none(), none(), number(-1), number(-1), number(0)}));
}

Fragment array(const std::vector<std::int64_t>& shape, const Fragment& type, const Fragment& data,
               const Fragment& fortran = no()) {
  return build(call(global("numpy.core.multiarray", "_reconstruct"),
                    {global("numpy", "ndarray"), numbers({0}), bytes("b")}),
               tuple({number(1), numbers(shape), type, fortran, data}));
}

std::string bytes_of(const Loaded& loaded, std::uint32_t storage) {
  const auto source = loaded.open_storage(checkpoint::StorageId{storage});
  const auto all = source->read(0, source->size());
  return std::string(as_text(all));
}

TEST_CASE("a tensor is in a file of torch.save inside the pickle") {
  const Fragment storage = from_bytes(bytes(stream())) + put(1);
  const std::string file = pickled(list({tensor(storage, {2}, {1}), tensor(get(1), {}, {}, 1)}));
  const MemorySource source = memory(file);
  const auto loaded = load(source, Limits{});
  CHECK(loaded->facts().format == "pickle");
  CHECK(checkpoint::entries(loaded->checkpoint()) ==
        Lines{"0: tensor float32 [2] stride [1]", "1: tensor float32 [] offset 1"});
  CHECK(loaded->checkpoint().tensors().storage_count() == 1);
  CHECK(bytes_of(*loaded, 0) == "01234567");
  CHECK(loaded->file_offset(checkpoint::StorageId{0}) == file.find("01234567"));
}

TEST_CASE("at protocol 2 that file is text") {
  std::string utf8;
  for (const char c : stream()) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80) utf8 += static_cast<char>(0xC0 | byte >> 6);
    utf8 += byte >= 0x80 ? static_cast<char>(0x80 | (byte & 0x3F)) : c;
  }
  const Fragment data = call(global("_codecs", "encode"), {text(utf8), text("latin1")});
  const MemorySource source = memory(pickled(tensor(from_bytes(data), {2}, {1}), 2));
  const auto loaded = load(source, Limits{});
  CHECK(bytes_of(*loaded, 0) == "01234567");
  CHECK(!loaded->file_offset(checkpoint::StorageId{0}));
}

TEST_CASE("what torch.load would not find in the bytes is refused") {
  CHECK(refusal(pickled(from_bytes(bytes("x")))) == "f: +0x28: byte 0x78 is no pickle opcode");
  CHECK(refusal(pickled(from_bytes(none())))
            .ends_with("_load_from_bytes of what is no bytes object"));
  const Fragment twice = list({from_bytes(bytes(stream()) + put(0)), from_bytes(get(0))});
  CHECK(refusal(pickled(twice)).ends_with("_load_from_bytes reads the same bytes again"));
  CHECK(refusal(pickled(storage("0", 1)))
            .ends_with("a persistent id, which nothing outside torch.save names"));
}

TEST_CASE("arrays of numpy are tensors") {
  const MemorySource source =
      memory(pickled(list({array({2, 1}, dtype("f4", "<"), bytes("01234567")),
                           array({2, 3}, dtype("i2", ">"), bytes("badcfehgjilk"), yes()),
                           array({1}, dtype("c8", ">"), bytes("dcbahgfe")),
                           call(global("numpy._core.numeric", "_frombuffer"),
                                {bytes("ab"), dtype("u1", "|"), numbers({2}), text("C")})})));
  const auto loaded = load(source, Limits{});
  CHECK(checkpoint::entries(loaded->checkpoint()) ==
        Lines{"0: tensor float32 [2, 1] stride [1, 1]", "1: tensor int16 [2, 3] stride [1, 2]",
              "2: tensor complex64 [1] stride [1]", "3: tensor uint8 [2] stride [1]"});
  CHECK(bytes_of(*loaded, 0) == "01234567");
  CHECK(bytes_of(*loaded, 1) == "abcdefghijkl");
  CHECK(bytes_of(*loaded, 2) == "abcdefgh");
  const auto swapped = loaded->open_storage(checkpoint::StorageId{1});
  for (std::uint64_t begin = 0; begin <= 12; ++begin) {
    for (std::uint64_t size = 0; begin + size <= 12; ++size) {
      const auto part = swapped->read(begin, size);
      CHECK(as_text(part) == std::string_view("abcdefghijkl").substr(begin, size));
    }
  }
}

TEST_CASE("arrays that torch has no dtype for stay values, and are named") {
  const MemorySource source = memory(pickled(dict({
      {text("o"), array({1}, dtype("O8", "|"), list({none()}))},
      {text("s"), array({1}, dtype("U1", "<"), bytes("abcd")) }
  })));
  const auto loaded = load(source, Limits{});
  const Lines found = texts(loaded->warnings());
  REQUIRE(found.size() == 2);
  CHECK(found[0].ends_with("an array of numpy's 'U1', which torch lacks: it stays a value at 's'"));
  CHECK(found[1].ends_with(
      "an array of numpy's 'object', which torch lacks: it stays a value at 'o'"));
  CHECK(loaded->checkpoint().tensors().count() == 0);
}

TEST_CASE("a dtype that torch lacks is told once, however many arrays have it") {
  const Fragment long_one = dtype(std::string(1000, '\n'), "<");
  const Fragment first = array({1}, long_one + put(9), bytes("abcd"));
  const Fragment second = array({1}, get(9), bytes("abcd"));
  const MemorySource source = memory(pickled(list({first, second})));
  const Lines found = texts(load(source, Limits{})->warnings());
  REQUIRE(found.size() == 1);
  std::string name;
  for (int i = 0; i < 80; ++i) {
    name += "\\x0a";
  }
  CHECK(found[0].ends_with(": 2 arrays of numpy's '" + name +
                           "…', which torch lacks: they stay values, the first at '0'"));
}

TEST_CASE("an array with too few or too many bytes is refused, and named") {
  const auto with = [](const std::vector<std::int64_t>& shape) {
    return refusal(pickled(dict({
        {text("a"), array(shape, dtype("f4", "<"), bytes("01234567"))}
    })));
  };
  CHECK(with({2}) == "");
  CHECK(with({3}).ends_with(
      "an array at 'a' has 8 bytes, shape [3] of float32 needs another number"));
  CHECK(with({1}) != "");
  CHECK(with({std::int64_t{1} << 62, 4}) != "");
}

TEST_CASE("what follows the pickle is warned of") {
  const MemorySource source = memory(pickled(none()) + "abc");
  CHECK(texts(load(source, Limits{})->warnings()) ==
        Lines{"f: +0x4: 3 bytes after the end of the pickle, which are not read"});
}

TEST_CASE("a pickle without PROTO is one if all of the file is") {
  CHECK(refusal("(lp0\nI1\na.") == "");
  CHECK(refusal("N.") == "");
  CHECK(refusal("N.x").starts_with("f: not a checkpoint of a known format"));
  CHECK(refusal("I love you.").starts_with("f: not a checkpoint of a known format"));
  CHECK(refusal(".").starts_with("f: not a checkpoint of a known format"));
}

}  // namespace
}  // namespace ptsd::format
