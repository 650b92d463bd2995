// SPDX-License-Identifier: Apache-2.0
#include "operation/stat.h"

#include <cstring>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "base/crc32.h"
#include "unit/checkpoint/loading.h"

namespace ptsd::operation {
namespace {

using checkpoint::StorageId;
using checkpoint::TensorId;
using test::Fragment;
using test::storage;
using test::tensor;
using test::text;

template <class T>
std::vector<std::byte> bytes_of(const std::vector<T>& values) {
  const Bytes bytes = std::as_bytes(std::span(values));
  return {bytes.begin(), bytes.end()};
}

// A checkpoint and what its storages hold, by key.
struct Stored {
  Stored(const Fragment& root, std::map<std::string, std::vector<std::byte>> contents,
         const Limits& limits = {})
      : loading(root, limits), bytes(std::move(contents)) {}

  UncheckedSource open(StorageId id) {
    const checkpoint::Checkpoint& checkpoint = loading.checkpoint;
    const std::string key(checkpoint.graph().text(checkpoint.tensors()[id].key));
    ++opened[key];
    const std::vector<std::byte>& content = bytes.at(key);
    return {.source = std::make_unique<MemorySource>("m.pt", content),
            .check = [this, key, crc = crc32(content)](std::uint32_t found) {
              ++checked[key];
              if (found != crc || damaged == key) {
                throw Error(Error::Kind::Malformed, {}, "the CRC of storage " + key);
              }
            }};
  }

  std::vector<TensorStat> stat(const StatOptions& options = {}) {
    const checkpoint::Listing listing =
        list(loading.checkpoint, loading.checkpoint.root(), checkpoint::Want::Tensors);
    std::vector<TensorId> tensors;
    for (std::size_t i = 0; i < listing.tensors().size(); ++i) {
      tensors.push_back(*listing.tensors()[i].tensor);
    }
    const Payload payload = {.checkpoint = loading.checkpoint,
                             .open = {},
                             .open_unchecked = [this](StorageId id) { return open(id); }};
    return operation::stat(payload, tensors, options);
  }

  checkpoint::Loading loading;
  std::map<std::string, std::vector<std::byte>> bytes;
  std::map<std::string, int> opened = {};
  std::map<std::string, int> checked = {};
  std::string damaged = {};
};

const std::vector<float> kSix = {0, 1, 2, 3, 4, 5};
using Counts = std::vector<std::uint64_t>;

TEST_CASE("views of one storage are each summarised by what they show") {
  const Fragment base = storage("s", 6);
  Stored stored(test::dict({
                    {text("all"), tensor(base, {6},             {1})        },
                    {text("odd"), tensor(base, {3},             {2},          1)},
                    {text("expanded"),           tensor(base,       {4, 2}, {0, 1})},
                    {text("nothing"),           tensor(base,        {0},  {1})   }
  }),
                {{"s", bytes_of(kSix)}});
  const std::vector<TensorStat> stats = stored.stat({.bins = 2, .threads = 1});
  REQUIRE(stats.size() == 4);
  CHECK(stats[0].summary->mean() == 2.5);
  CHECK(stats[0].histogram == Counts{3, 3});
  CHECK(stats[0].edges == std::vector<double>{0, 2.5, 5});
  CHECK(stats[1].count == 3);
  CHECK(stats[1].summary->mean() == 3);
  CHECK(stats[1].summary->zeros == 0);
  CHECK(stats[2].count == 8);
  CHECK(stats[2].summary->zeros == 4);
  CHECK(stats[2].histogram == Counts{4, 4});
  CHECK(stats[3].summary->count == 0);
  CHECK(stats[3].histogram.empty());
  CHECK(stored.checked["s"] == 1);
}

TEST_CASE("one tensor under two names is read once") {
  const Fragment once = tensor(storage("s", 6), {6}, {1});
  Stored stored(test::dict({
                    {text("wte"),     once + test::put(1)},
                    {text("lm_head"), test::get(1)       }
  }),
                {{"s", bytes_of(kSix)}});
  const std::vector<TensorStat> stats = stored.stat();
  REQUIRE(stats.size() == 2);
  CHECK(stats[1].summary->sum == stats[0].summary->sum);
  CHECK(stats[1].histogram == stats[0].histogram);
  CHECK(stored.opened["s"] == 2);  // once for each pass
}

TEST_CASE("of a sparse tensor the stored values count") {
  const Fragment indices = tensor(storage("i", 8, "LongStorage"), {2, 4}, {4, 1});
  const Fragment values = tensor(storage("v", 4), {4}, {1});
  const Fragment size = test::call(test::global("torch", "Size"), {test::numbers({5, 6})});
  const Fragment layout =
      test::call(test::global("torch.serialization", "_get_layout"), {text("torch.sparse_coo")});
  Stored stored(
      test::dict({
          {text("w"), test::call(test::rebuild("_rebuild_sparse_tensor"),
           {layout, test::tuple({indices, values, size, test::yes()})})}
  }),
      {{"i", bytes_of(std::vector<std::int64_t>(8))},
       {"v", bytes_of(std::vector<float>{1, 0, -1, 4})}});
  const std::vector<TensorStat> stats = stored.stat();
  REQUIRE(stats.size() == 1);
  CHECK(stats[0].count == 4);
  CHECK(stats[0].summary->count == 4);
  CHECK(stats[0].summary->zeros == 1);
  CHECK(stats[0].summary->mean() == 1);
}

TEST_CASE("elements that are no numbers have no summary, and are not read") {
  Stored stored(test::dict({
                    {text("bits"), test::call(test::rebuild("_rebuild_tensor_v3"),
                     {storage("s", 6, "UntypedStorage"), test::number(0),
                                               test::numbers({6}), test::numbers({1}), test::no(),
                                               test::hooks(), test::global("torch", "bits8")})}
  }),
                {{"s", bytes_of(std::vector<std::uint8_t>(6))}});
  const std::vector<TensorStat> stats = stored.stat();
  REQUIRE(stats.size() == 1);
  CHECK_FALSE(stats[0].summary);
  CHECK(stats[0].count == 6);
  CHECK(stored.opened.empty());
}

TEST_CASE("a checksum that does not match is an error, also of elements that no view shows") {
  const Fragment base = storage("s", 6);
  for (const Fragment& view : {tensor(base, {6}, {1}), tensor(base, {2}, {1})}) {
    Stored stored(test::dict({
                      {text("w"), view}
    }),
                  {{"s", bytes_of(kSix)}});
    stored.damaged = "s";
    CHECK(test::refused([&] { stored.stat(); }) == "the CRC of storage s");
  }
}

TEST_CASE("a view that shows far more than its storage holds is refused") {
  const Fragment root = test::dict({
      {text("w"), tensor(storage("s", 6), {1'000'000'000, 6}, {0, 1})}
  });
  Stored stored(root,
                {
                    {"s", bytes_of(kSix)}
  },
                {.view_bytes = 1'000'000});
  CHECK(test::refused([&] { stored.stat(); })
            .ends_with("a view of 24000000000 bytes, more than its storage holds and than 1000000 "
                       "(--limit view-bytes=N)"));
}

// Several chunks, and several tensors at a time.
TEST_CASE("any number of threads finds the same, to the bit") {
  std::mt19937 generator(3);
  std::normal_distribution<float> normal(100, 1);
  std::vector<float> values(3'000'000);
  for (float& value : values) {
    value = normal(generator);
  }
  const Fragment base = storage("s", 3'000'000);
  const Fragment root = test::dict({
      {text("all"),  tensor(base,  {3'000'000}, {1})},
      {            text("transposed"), tensor(base, {1000, 3000},  {1, 1000})    },
      { text("part"),       tensor(base,                {100},          {1},     7)}
  });
  Stored one(root, {
                       {"s", bytes_of(values)}
  });
  Stored four(root, {
                        {"s", bytes_of(values)}
  });
  const std::vector<TensorStat> expected = one.stat({.threads = 1});
  const std::vector<TensorStat> found = four.stat({.threads = 4});
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK(found[i].summary->sum == expected[i].summary->sum);
    CHECK(found[i].summary->squares == expected[i].summary->squares);
    CHECK(found[i].edges == expected[i].edges);
    CHECK(found[i].histogram == expected[i].histogram);
  }
}

}  // namespace
}  // namespace ptsd::operation
