// SPDX-License-Identifier: Apache-2.0
#include "operation/relayout.h"

#include <algorithm>

#include "checkpoint/gather_source.h"
#include "operation/cast.h"
#include "unit/operation/drafted.h"

namespace ptsd::operation {
namespace {

using namespace test;
using checkpoint::Draft;
using checkpoint::GatherDerivation;
using checkpoint::Lines;
using checkpoint::Loading;
using checkpoint::Piece;
using test::list;
using test::pickle;
using test::tensor;

constexpr RelayoutOptions kUntie = {.untie = true};
constexpr RelayoutOptions kContiguous = {.contiguous = true};
constexpr RelayoutOptions kShrink = {.shrink = true};

// What is laid out, over storages of bytes 0, 1, 2, ...
struct Laying : Drafted {
  using Drafted::Drafted;

  Relaid run(const RelayoutOptions& options, const std::vector<std::string>& wanted = {}) {
    return relayout(draft, chosen(wanted), options);
  }

  // Every tensor, with its storage: "w: [2] stride [1] in 0 of 8 bytes".
  Lines result() const {
    const Loading again(encoded());
    const checkpoint::Checkpoint& read = again.checkpoint;
    const checkpoint::Listing all = list(read, read.root(), checkpoint::Want::Everything);
    Lines lines;
    for (std::size_t i = 0; i < all.tensors().size(); ++i) {
      const checkpoint::Entry& entry = all.tensors()[i];
      const checkpoint::Tensor& tensor = read.tensors()[*entry.tensor];
      std::string line = fmt::format("{}: {}", entry.path, describe(read.tensors(), tensor));
      if (tensor.storage) {
        const checkpoint::Storage& storage = read.tensors()[*tensor.storage];
        line += fmt::format(" in {} of {}", read.key(storage), storage.count);
      }
      lines.push_back(line);
    }
    return lines;
  }

  std::vector<int> bytes(const std::string& key) const {
    const checkpoint::Payload& payload = draft.payloads.at(key);
    const checkpoint::Storage& storage = loading.checkpoint.tensors()[payload.storage];
    std::vector<std::byte> source(storage.count * storage.item_size());
    for (std::size_t i = 0; i < source.size(); ++i) {
      source[i] = static_cast<std::byte>(i);
    }
    const auto made =
        payload.derivation->over(std::make_unique<MemorySource>("m.pt", std::move(source)));
    CHECK(made->size() == payload.derivation->size());
    std::vector<int> all;
    for (const std::byte each : made->read(0, made->size())) {
      all.push_back(std::to_integer<int>(each));
    }
    return all;
  }
};

using Dims = std::vector<std::int64_t>;

Fragment bytes_view(const Dims& size, const Dims& stride, std::int64_t offset = 0,
                    std::int64_t count = 24) {
  return tensor(storage("0", count, "ByteStorage"), size, stride, offset);
}

Lines shrunk(const Pairs& entries) {
  Laying laying(dict(entries));
  laying.run(kShrink);
  return laying.result();
}

TEST_CASE("a view that is alone keeps its own elements only") {
  Laying laying(dict({
      {text("column"), bytes_view({4}, {6}, 2)}
  }));
  CHECK(laying.run(kShrink).shrunk == 1);
  CHECK(laying.result() == Lines{"column: tensor uint8 [4] stride [1] in 0 of 4"});
  CHECK(laying.bytes("0") == std::vector{2, 8, 14, 20});
}

TEST_CASE("a transposed block stays transposed, and repeated elements stay repeated") {
  Laying laying(dict({
      {text("b"), bytes_view({3, 2},    {1, 6},    8)},
      {text("e"), bytes_view({2, 2, 3}, {6, 0, 1}, 8)}
  }));
  laying.run(kShrink);
  CHECK(laying.result() == Lines{"b: tensor uint8 [3, 2] stride [1, 3] in 0 of 6",
                                 "e: tensor uint8 [2, 2, 3] stride [3, 0, 1] in 0 of 6"});
  CHECK(laying.bytes("0") == std::vector{8, 9, 10, 14, 15, 16});
}

TEST_CASE("views that overlap stay views of one storage") {
  Laying laying(dict({
      {text("a"), bytes_view({4}, {1}, 4) },
      {text("b"), bytes_view({4}, {1}, 6) },
      {text("c"), bytes_view({2}, {1}, 20)}
  }));
  laying.run(kShrink);
  CHECK(laying.result() == Lines{"a: tensor uint8 [4] stride [1] in 0 of 8",
                                 "b: tensor uint8 [4] stride [1] offset 2 in 0 of 8",
                                 "c: tensor uint8 [2] stride [1] offset 6 in 0 of 8"});
  CHECK(laying.bytes("0") == std::vector{4, 5, 6, 7, 8, 9, 20, 21});
}

TEST_CASE("columns of one matrix are cut together") {
  CHECK(shrunk({
            {text("q"), bytes_view({4, 2}, {6, 1}, 0)},
            {text("v"), bytes_view({4, 1}, {6, 1}, 4)}
  }) ==
        Lines{"q: tensor uint8 [4, 2] stride [3, 1] in 0 of 12",
              "v: tensor uint8 [4, 1] stride [3, 1] offset 2 in 0 of 12"});
}

TEST_CASE("what lies between views that do not fit together stays") {
  CHECK(shrunk({
            {text("a"), bytes_view({3}, {2}, 3)},
            {text("b"), bytes_view({3}, {5}, 3)}
  }) ==
        Lines{"a: tensor uint8 [3] stride [2] in 0 of 11",
              "b: tensor uint8 [3] stride [5] in 0 of 11"});
}

TEST_CASE("a storage that is wholly used is left alone") {
  Laying laying(dict({
      {text("a"), bytes_view({24}, {1})},
      {text("b"), bytes_view({2},  {1})}
  }));
  CHECK(laying.run(kShrink).shrunk == 0);
  CHECK(laying.draft.payloads.empty());
  CHECK_FALSE(laying.draft.pickle_changed);
}

TEST_CASE("a tensor elsewhere, and a storage that is a value, keep what they use") {
  const auto lines = [](const Fragment& other) {
    Laying laying(dict({
        {text("model"), dict({{text("a"), bytes_view({2}, {1}, 4)}})},
        {text("other"), other                                       }
    }));
    laying.run(kShrink, {"model"});
    return laying.result();
  };
  CHECK(lines(list({bytes_view({8}, {1})})) ==
        Lines{"model/a: tensor uint8 [2] stride [1] offset 4 in 0 of 8",
              "other/0: tensor uint8 [8] stride [1] in 0 of 8"});
  CHECK(lines(storage("0", 24, "ByteStorage")) ==
        Lines{"model/a: tensor uint8 [2] stride [1] offset 4 in 0 of 24"});
}

TEST_CASE("of an empty tensor nothing is kept") {
  CHECK(shrunk({
            {text("a"), bytes_view({0, 3}, {3, 1}, 24)}
  }) ==
        Lines{"a: tensor uint8 [0, 3] stride [3, 1] in 0 of 0"});
}

TEST_CASE("elements are gathered row by row") {
  Laying laying(dict({
      {text("t"), bytes_view({3, 4}, {2, 6}, 0)}
  }));
  CHECK(laying.run(kContiguous).contiguous == 1);
  CHECK(laying.result() == Lines{"t: tensor uint8 [3, 4] stride [4, 1] in 0 of 12"});
  CHECK(laying.bytes("0") == std::vector{0, 6, 12, 18, 2, 8, 14, 20, 4, 10, 16, 22});
}

TEST_CASE("tied tensors become contiguous together, other views do not") {
  Laying laying(dict({
      {text("a"), bytes_view({6, 4}, {1, 6})},
      {text("b"), bytes_view({6, 4}, {1, 6})}
  }));
  laying.run(kContiguous);
  CHECK(laying.result() == Lines{"a: tensor uint8 [6, 4] stride [4, 1] in 0 of 24",
                                 "b: tensor uint8 [6, 4] stride [4, 1] in 0 of 24"});
  CHECK(refused([] {
          Laying(dict({
                     {text("a"), bytes_view({6, 4}, {1, 6})},
                     {text("b"), bytes_view({24},   {1})   }
          }))
              .run(kContiguous);
        }) == "p+0xb8: 'a' is not contiguous, and shares its storage with 'b'; see --untie");
}

TEST_CASE("tensors that share a storage get one each") {
  Laying laying(dict({
      {text("a"),       bytes_view({24}, {1})},
      { text("b"), bytes_view({2},             {6},   1)}
  }));
  CHECK(laying.run(kUntie).untied == 2);
  CHECK(laying.result() == Lines{"a: tensor uint8 [24] stride [1] in 0 of 24",
                                 "b: tensor uint8 [2] stride [1] in 1 of 2"});
  CHECK(laying.bytes("1") == std::vector{1, 7});
  CHECK_FALSE(laying.draft.payloads.contains("0"));
}

TEST_CASE("no storage gets the key of a record without a storage") {
  Laying laying(dict({
      {text("a"), bytes_view({24}, {1})},
      {text("b"), bytes_view({2},  {6})}
  }));
  laying.draft.taken_keys = {"1", "2"};
  laying.run(kUntie);
  CHECK(laying.result() == Lines{"a: tensor uint8 [24] stride [1] in 0 of 24",
                                 "b: tensor uint8 [2] stride [1] in 3 of 2"});
}

TEST_CASE("an object in two places becomes two tensors") {
  Laying laying(dict({
      {text("a"), bytes_view({24}, {1}) + put(9)},
      {text("b"),         get(9)               }
  }));
  CHECK(laying.run(kUntie).untied == 2);
  CHECK(laying.result() == Lines{"a: tensor uint8 [24] stride [1] in 0 of 24",
                                 "b: tensor uint8 [24] stride [1] in 1 of 24"});
}

TEST_CASE("an object outside the state dict keeps the storage") {
  Laying laying(dict({
      {text("model"), dict({{text("a"), bytes_view({24}, {1}) + put(9)}})},
      {text("other"), list({get(9)})                                     }
  }));
  laying.run(kUntie, {"model"});
  CHECK(laying.result() == Lines{"model/a: tensor uint8 [24] stride [1] in 1 of 24",
                                 "other/0: tensor uint8 [24] stride [1] in 0 of 24"});
}

TEST_CASE("elements that a cast made are laid out as well") {
  Laying laying(dict({
      {text("w"), tensor(storage("0", 4), {2}, {2}, 1)}
  }));
  const auto dicts = laying.chosen();
  CastOptions eighth;
  eighth.rules.push_back({std::nullopt, ptsd::tensor::DType::Float8E4M3Fn});
  cast(laying.draft, dicts, eighth);
  relayout(laying.draft, dicts, kShrink);
  CHECK(laying.result() == Lines{"w: tensor float8_e4m3fn [2] stride [1] in 0 of 2"});
  CHECK(laying.bytes("0").size() == 2);
}

TEST_CASE("repeated elements are not written out without bound") {
  const std::int64_t many = std::int64_t{1} << 40;
  CHECK(refused([&] {
          Laying(dict({
                     {text("a"), bytes_view({many}, {0})}
          }))
              .run(kContiguous);
        }) == "p+0xa4: 'a' repeats its elements: from 24 bytes it would grow to 1099511627776");
  Laying small(dict({
      {text("a"), bytes_view({many}, {0})}
  }));
  small.run(kShrink);
  CHECK(small.result() == Lines{"a: tensor uint8 [1099511627776] stride [0] in 0 of 1"});
}

// Elements of two bytes, each its own index, over a source of 2^23 of them.
TEST_CASE("what is gathered is the same however it is read") {
  std::vector<std::byte> source(std::size_t{1} << 24);
  for (std::size_t i = 0; i < source.size(); i += 2) {
    source[i] = static_cast<std::byte>(i / 2 % 251);
    source[i + 1] = static_cast<std::byte>(i / 2 / 251 % 256);
  }
  const auto value = [](std::uint64_t index, std::uint64_t byte) {
    return static_cast<std::byte>(byte == 0 ? index % 251 : index / 251 % 256);
  };
  // Rows and columns near and far, in and out of order, repeated, and one behind the other.
  const std::vector<Piece> pieces = {
      {3,       {{3000, 1}, {700, 3000}}},
      {100,     {{40, 200'000}, {3, 2}} },
      {7,       {{900, 9000}}           },
      {5,       {{2, 0}, {2, 4'000'000}}},
      {8388607, {}                      },
      {0,       {{300'000, 20}}         }
  };
  std::vector<std::byte> expected;
  for (const Piece& piece : pieces) {
    for (std::uint64_t i = 0; i < piece.count(); ++i) {
      std::uint64_t index = piece.offset;
      std::uint64_t rest = i;
      for (std::size_t at = piece.strides.size(); at-- > 0;) {
        index += rest % piece.strides[at].size * piece.strides[at].step;
        rest /= piece.strides[at].size;
      }
      expected.insert(expected.end(), {value(index, 0), value(index, 1)});
    }
  }
  const GatherDerivation gather(2, pieces);
  const auto made = gather.over(std::make_unique<MemorySource>("m.pt", std::move(source)));
  REQUIRE(made->size() == expected.size());
  CHECK(made->read(0, made->size()) == expected);
  for (const std::uint64_t block : {std::uint64_t{4095}, std::uint64_t{1} << 20}) {
    std::vector<std::byte> all;
    for (std::uint64_t at = 0; at < expected.size(); at += block) {
      const auto part = made->read(at, std::min(block, expected.size() - at));
      all.insert(all.end(), part.begin(), part.end());
    }
    CHECK(all == expected);
  }
}

TEST_CASE("packed elements stay where they are") {
  CHECK(refused([] {
          Laying(dict({
                     {text("a"), tensor(storage("0", 9, "QUInt4x2Storage"), {2, 4}, {4, 1})}
          }))
              .run(kShrink);
        }) == "p+0xbc: 'a' is a packed quint4x2, whose layout cannot be changed");
}

}  // namespace
}  // namespace ptsd::operation
