// SPDX-License-Identifier: Apache-2.0
#include "format/legacy.h"

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

std::string refusal(const LegacyStream& stream) {
  const MemorySource source = stream.source();
  return refused([&] { load(source, Limits{}); });
}

std::string refusal_of(const std::string& bytes) {
  const MemorySource source("m.pt", {as_bytes(bytes).begin(), as_bytes(bytes).end()});
  return refused([&] { load(source, Limits{}); });
}

bool ends_with(const std::string& text, std::string_view end) {
  CHECK_MESSAGE(text.ends_with(end), text);
  return text.ends_with(end);
}

Fragment weight(const Fragment& storage, std::int64_t count) {
  return tensor(storage, {count}, {1});
}

LegacyStream two_weights() {
  return {
      .root = dict({{text("a"), weight(legacy_storage("7", 2), 2)},
                    {text("b"), weight(legacy_storage("12", 1), 1)}                  }
        ),
      .tail = LegacyStream::data({{"12", "abcd"},                                 {"7", "01234567"}}
        )
  };
}

std::string bytes_of(const Loaded& loaded, std::string_view key) {
  const auto id = loaded.checkpoint().tensors().find_storage(key).value();
  const auto source = loaded.open_storage(id);
  const auto bytes = source->read(0, source->size());
  return std::string(as_text(bytes));
}

TEST_CASE("storages lie in the order of the keys, behind the pickles") {
  const MemorySource source = two_weights().source();
  const auto loaded = load(source, Limits{});
  CHECK(loaded->facts().format == "torch-legacy");
  CHECK(loaded->facts().protocol == 2);
  CHECK(checkpoint::entries(loaded->checkpoint()) ==
        Lines{"a: tensor float32 [2] stride [1]", "b: tensor float32 [1] stride [1]"});
  CHECK(bytes_of(*loaded, "7") == "01234567");
  CHECK(bytes_of(*loaded, "12") == "abcd");
  const auto id = loaded->checkpoint().tensors().find_storage("7").value();
  CHECK(loaded->file_offset(id) == source.size() - 8);
  CHECK(loaded->warnings().empty());
}

TEST_CASE("a class that carries its source is that class") {
  const Fragment cls = persistent(
      tuple({text("module"), global("m", "C") + put(0), text("m.py"), text("class C: pass")}));
  const Fragment first = cls + fragment(pickle().empty_tuple().newobj());
  const Fragment second = get(0) + fragment(pickle().empty_tuple().newobj());
  const MemorySource source = LegacyStream{.root = list({first, second, cls})}.source();
  const auto loaded = load(source, Limits{});
  CHECK(checkpoint::entries(loaded->checkpoint()) == Lines{"0: m.C", "1: m.C", "2: global"});
  CHECK(loaded->legacy()->containers.size() == 2);
}

TEST_CASE("what stands for a class must be one") {
  const auto module = [](const Fragments& id) { return refusal({.root = persistent(tuple(id))}); };
  constexpr std::string_view kMessage = "a persistent id is not ('module', class, file, source)";
  CHECK(ends_with(module({text("module")}), kMessage));
  CHECK(ends_with(module({text("module"), text("C"), none(), none()}), kMessage));
  CHECK(ends_with(module({text("module"), global("m", "C"), none()}), kMessage));
  CHECK(module({text("module"), global("m", "C"), none(), none()}) == "");
}

TEST_CASE("a part of a storage is a storage of its own") {
  const Fragment whole = legacy_storage("1", 6);
  const Fragment part = legacy_storage("1", 6, view_of("2", 1, 4));
  const LegacyStream stream = {
      .root = list({tensor(part, {2}, {2}, 1), weight(whole, 6), weight(part, 4)}
        ),
      .tail = LegacyStream::data({{"1", "aaaabbbbccccddddeeeeffff"}       }
        )
  };
  const MemorySource source = stream.source();
  const auto loaded = load(source, Limits{});
  CHECK(loaded->checkpoint().tensors().storage_count() == 2);
  CHECK(bytes_of(*loaded, "2") == "bbbbccccddddeeee");
  CHECK(bytes_of(*loaded, "1") == "aaaabbbbccccddddeeeeffff");
  CHECK(loaded->legacy()->has_views);
  REQUIRE(loaded->warnings().size() == 1);
  CHECK(loaded->warnings()[0].message ==
        "storages that share bytes with others, until they are written anew: 1, the first is '2', "
        "a view of '1'");
}

TEST_CASE("parts of a storage that nothing else uses are found") {
  const LegacyStream stream = {
      .root = list({weight(legacy_storage("1", 3, view_of("2", 0, 1)), 1),
                    weight(legacy_storage("1", 3, view_of("3", 3, 0)), 0)}
        ),
      .tail = LegacyStream::data({{"1", "aaaabbbbcccc"}             }
        )
  };
  const MemorySource source = stream.source();
  const auto loaded = load(source, Limits{});
  CHECK(bytes_of(*loaded, "2") == "aaaa");
  CHECK(bytes_of(*loaded, "3") == "");
  CHECK(loaded->warnings().empty());
}

TEST_CASE("parts of storages that contradict one another are refused") {
  const auto parts = [](const Fragments& storages) {
    Fragments tensors;
    for (const Fragment& storage : storages) {
      tensors.push_back(weight(storage, 0));
    }
    return refusal({
        .root = list(tensors), .tail = LegacyStream::data({{"1", "aaaabbbb"}}
             )
    });
  };
  CHECK(ends_with(parts({legacy_storage("1", 2, view_of("2", 1, 2))}),
                  "storage '2' is elements 1 to 3 of storage '1', which has 2"));
  CHECK(ends_with(parts({legacy_storage("1", 2, view_of("2", 0, 1)),
                         legacy_storage("1", 2, view_of("2", 1, 1))}),
                  "storage '2' is a part of others in two ways"));
  CHECK(ends_with(
      parts({legacy_storage("1", 2, view_of("1", 0, 2))}),
      "storage '1' is a view of '1': a view cannot be a storage of its own, or a view of a view"));
  CHECK(ends_with(
      parts(
          {legacy_storage("1", 2, view_of("2", 0, 2)), legacy_storage("2", 2, view_of("3", 0, 2))}),
      "storage '2' is a view of '1': a view cannot be a storage of its own, or a view of a view"));
  CHECK(ends_with(parts({legacy_storage("1", 2, view_of("2", 0, 2)),
                         legacy_storage("1", 3, view_of("3", 0, 2))}),
                  "storage '1' of '1': parts of it disagree about its size"));
  CHECK(ends_with(parts({legacy_storage("1", 2, text("2"))}),
                  "the view of a storage is not (key, offset, numel)"));
  CHECK(ends_with(parts({legacy_storage("1", 2, view_of("2", -1, 2))}),
                  "the view of a storage is not (key, offset, numel)"));
}

TEST_CASE("a magic number that is made by a call is none") {
  const Fragment made = call(global("builtins", "int"), {text("1")});
  // Recognised by its first bytes, as it must be.
  const std::string begin = fragment(pickle()
                                         .proto(2)
                                         .long1("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")
                                         .op(::ptsd::pickle::Op::Stop));
  CHECK(refusal_of(begin) == "m.pt: +0xf: the pickle ends without STOP");
  CHECK(ends_with(refusal({.root = none(), .version = made}),
                  "a global in the pickle of the protocol version, expected plain data"));
}

TEST_CASE("the other pickles hold plain data, and what torch.load expects") {
  CHECK(ends_with(refusal({.root = none(), .version = number(1000)}),
                  "the protocol version is 1000, expected 1001"));
  CHECK(ends_with(refusal({.root = none(), .facts = global("os", "system")}),
                  "a global in the pickle of the system's facts, expected plain data"));
  CHECK(ends_with(refusal({.root = none(), .facts = none()}),
                  "the system's facts are None, expected a dict"));
  CHECK(ends_with(
      refusal({.root = none(), .tail = LegacyStream::pickled(call(global("os", "system"), {}))}),
      "a global in the pickle of the storages' keys, expected plain data"));
  CHECK(ends_with(refusal({.root = none(), .tail = LegacyStream::pickled(none())}),
                  "the storages' keys are None, expected a list"));
  CHECK(ends_with(refusal({.root = none(), .tail = LegacyStream::pickled(list({none()}))}),
                  "the key of a storage is None, expected a str"));
}

TEST_CASE("a storage that is missing, unknown, listed twice or cut is named") {
  LegacyStream stream = two_weights();
  stream.tail = LegacyStream::data({
      {"12", "abcd"}
  });
  CHECK(ends_with(refusal(stream), "storage '7' of 'a': it is not among those that follow"));
  stream.tail = LegacyStream::data({
      {"12", "abcd"    },
      {"7",  "01234567"},
      {"8",  ""        }
  });
  CHECK(ends_with(refusal(stream), "no tensor uses the storage '8'"));
  stream.tail = LegacyStream::data({
      {"12", "abcd"},
      {"12", "abcd"}
  });
  CHECK(ends_with(refusal(stream), "storage '12' is listed twice"));
  stream.tail = LegacyStream::data({
      {"12", "abcd"},
      {"7",  "0123"}
  });
  CHECK(ends_with(refusal(stream), "storage '7' of 'a': it has 1 elements, the pickle declares 2"));
  const std::string whole = two_weights().text_of();
  CHECK(ends_with(refusal_of(whole.substr(0, whole.size() - 1)),
                  "storage '7' of 'a': 2 elements of 4 bytes, the file has 7 bytes more"));
  CHECK(ends_with(refusal_of(whole.substr(0, whole.size() - 9)),
                  "storage '7' of 'a': the file ends before it"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CHECK(refusal_of(whole.substr(0, size)) != "");
  }
}

TEST_CASE("a count of elements that no file can hold is refused before anything is allocated") {
  const auto counted = [](std::uint64_t there, std::int64_t declared) {
    return refusal(
        {.root = weight(legacy_storage("7", declared), 0),
         .tail = LegacyStream::pickled(list({text("7")})) + LegacyStream::u64(there) + "01234567"});
  };
  constexpr std::uint64_t kMinusTwo = ~std::uint64_t{1};
  constexpr std::uint64_t kLeast = std::uint64_t{1} << 63;
  constexpr std::uint64_t kLarge = std::uint64_t{1} << 62;
  for (const std::uint64_t count : {kMinusTwo, kLeast, kLarge, kLarge - 1}) {
    CHECK(counted(count, 2).find("storage '7'") != std::string::npos);
    CHECK(counted(count, static_cast<std::int64_t>(count)).find("'7'") != std::string::npos);
  }
  CHECK(counted(2, 2) == "");
}

TEST_CASE("the keys of storages are texts, in the object and in the list") {
  const auto listed = [](const Fragment& key) {
    return refusal(
        {.root = weight(legacy_storage("7", 2), 2),
         .tail = LegacyStream::pickled(list({key})) + LegacyStream::u64(2) + "01234567"});
  };
  CHECK(listed(text("7")) == "");
  CHECK(ends_with(listed(number(7)), "the key of a storage is an int, expected a str"));
  CHECK(ends_with(listed(tuple({text("7")})), "the key of a storage is a tuple, expected a str"));
}

TEST_CASE("storages without elements are there and have no bytes") {
  const LegacyStream stream = {
      .root = weight(legacy_storage("1", 0), 0), .tail = LegacyStream::data({{"1", ""}}
             )
  };
  const MemorySource source = stream.source();
  CHECK(bytes_of(*load(source, Limits{}), "1") == "");
}

TEST_CASE("what follows the last storage is warned of") {
  LegacyStream stream = two_weights();
  stream.tail += two_weights().text_of();
  const MemorySource source = stream.source();
  const auto loaded = load(source, Limits{});
  const std::string place = fmt::format("m.pt: +{:#x}: ", loaded->legacy()->end);
  CHECK(texts(loaded->warnings()) ==
        Lines{place + "another object follows, which is not read: torch.load too reads one"});
  stream.tail = two_weights().tail + "xyz";
  const MemorySource other = stream.source();
  CHECK(texts(load(other, Limits{})->warnings()) ==
        Lines{place + "3 bytes behind the last storage"});
}

TEST_CASE("data are little-endian wherever they were written") {
  LegacyStream stream = two_weights();
  stream.facts = LegacyStream::system(no());
  const MemorySource source = stream.source();
  const auto loaded = load(source, Limits{});
  CHECK(loaded->facts().byteorder == "little");
  CHECK(loaded->warnings().size() == 1);
}

TEST_CASE("errors in the object tell where in the file") {
  const LegacyStream stream = {.root = fragment(pickle().binget(3))};
  const std::size_t begin = LegacyStream::pickled(stream.magic).size() +
                            LegacyStream::pickled(stream.version).size() +
                            LegacyStream::pickled(stream.facts).size();
  CHECK(refusal(stream) ==
        fmt::format("m.pt: +{:#x}: BINGET refers to memo slot 3, which was never set", begin + 2));
}

TEST_CASE("pickles larger than the limit are refused") {
  const MemorySource source = LegacyStream{.root = text(std::string(5000, 'x'))}.source();
  Limits limits;
  limits.pickle_bytes = 4000;
  CHECK(ends_with(refused([&] { load(source, limits); }),
                  "a pickle of more than 4000 bytes (--limit pickle-bytes=N)"));
}

}  // namespace
}  // namespace ptsd::format
