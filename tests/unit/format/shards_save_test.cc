// SPDX-License-Identifier: Apache-2.0
#include "format/shards_save.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "checkpoint/listing.h"
#include "checkpoint/mapping.h"
#include "format/probe.h"
#include "format/settle.h"
#include "format/shard_items.h"
#include "format/shard_plan.h"
#include "support/refusal.h"
#include "support/zip_assembler.h"
#include "unit/checkpoint/fragments.h"
#include "unit/format/safetensors_file.h"

namespace ptsd::format {
namespace {

using checkpoint::FlatCheckpoint;
using checkpoint::FlatTensor;
using tensor::DType;
using test::refused;
using Texts = std::vector<std::pair<std::string, std::string>>;

// "file: a b | file: c" and the total size.
std::string told(const ShardPlan& plan, const std::vector<ShardItem>& items) {
  std::string text;
  for (const ShardPlan::Part& part : plan.parts) {
    text += part.file + ":";
    for (const std::size_t item : part.items) {
      text += " " + items[item].name;
    }
    text += " | ";
  }
  return text + std::to_string(plan.total_size);
}

std::string split(const std::vector<ShardItem>& items, std::uint64_t most) {
  return told(split_by_size(items, most, "m", ".bin"), items);
}

TEST_CASE("items fill a part until the next would be too much") {
  const std::vector<ShardItem> items = {
      {.name = "a", .size = 6},
      {.name = "b", .size = 6},
      {.name = "c", .size = 2},
      {.name = "d", .size = 6},
      {.name = "e", .size = 2},
      {.name = "f", .size = 2}
  };
  CHECK(split(items, 10) ==
        "m-00001-of-00003.bin: a | m-00002-of-00003.bin: b c | m-00003-of-00003.bin: d e f | 24");
  CHECK(split(items, 24) == "m.bin: a b c d e f | 24");
}

TEST_CASE("an item larger than a part has one of its own") {
  const std::vector<ShardItem> items = {
      {.name = "a", .size = 1},
      {.name = "b", .size = 9},
      {.name = "c", .size = 1}
  };
  CHECK(split(items, 3) == "m-00001-of-00002.bin: b | m-00002-of-00002.bin: a c | 11");
}

TEST_CASE("items that share a storage stay together, and count once") {
  const std::vector<ShardItem> items = {
      {.name = "a", .size = 3, .storage = 7},
      {.name = "b", .size = 3, .storage = 8},
      {.name = "c", .size = 3, .storage = 7},
      {.name = "d", .size = 3, .storage = 8}
  };
  CHECK(split(items, 3) == "m-00001-of-00002.bin: a c | m-00002-of-00002.bin: b d | 6");
}

TEST_CASE("nothing is one part, and the largest size there is does not wrap") {
  CHECK(split({}, 3) == "m.bin: | 0");
  CHECK(split(
            {
                {.name = "a", .size = 3},
                {.name = "b", .size = 3}
  },
            ~std::uint64_t{0}) == "m.bin: a b | 6");
}

Sharding three_parts() {
  Sharding sharding;
  for (int i = 1; i <= 3; ++i) {
    sharding.parts.push_back({.file = fmt::format("m-{:05}-of-00003.bin", i), .format = ""});
  }
  sharding.part_of = {
      {"a", 0},
      {"b", 1},
      {"c", 2}
  };
  return sharding;
}

TEST_CASE("every item stays in its part, and a new one goes to the last") {
  const std::vector<ShardItem> items = {
      {.name = "new",  .size = 1, .storage = 5},
      {.name = "c",    .size = 2, .storage = 6},
      {.name = "a",    .size = 4, .storage = 7},
      {.name = "tied", .size = 8, .storage = 1},
      {.name = "b",    .size = 8, .storage = 1}
  };
  CHECK(told(split_as_before(items, three_parts()), items) ==
        "m-00001-of-00003.bin: a | m-00002-of-00003.bin: tied b | m-00003-of-00003.bin: new c | "
        "15");
}

TEST_CASE("a part that has nothing left goes, and the others are numbered again") {
  const std::vector<ShardItem> items = {
      {.name = "a", .size = 1},
      {.name = "c", .size = 2}
  };
  CHECK(told(split_as_before(items, three_parts()), items) ==
        "m-00001-of-00002.bin: a | m-00002-of-00002.bin: c | 3");
  Sharding sharding = three_parts();
  sharding.parts[0].file = "first.bin";
  CHECK(told(split_as_before(items, sharding), items) ==
        "first.bin: a | m-00003-of-00003.bin: c | 3");
  CHECK(told(split_as_before({}, sharding), {}) == "first.bin: | 0");
}

TEST_CASE("sizes of parts are read with units of 1000") {
  CHECK(parse_shard_size("5GB") == 5'000'000'000u);
  CHECK(parse_shard_size("1.5 mb") == 1'500'000u);
  CHECK(parse_shard_size("2TB") == 2'000'000'000'000u);
  CHECK(parse_shard_size("900") == 900u);
  for (const std::string_view wrong :
       {"", "GB", "-1KB", "0", "0.5", "1e3", "1EB", "1GiB", "nan", "inf", "99999999999TB"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_shard_size(wrong));
  }
}

TEST_CASE("the text of an index is that of Python") {
  const std::vector<ShardItem> items = {
      {.name = "b",        .size = 1},
      {.name = "\u00e9\"", .size = 1}
  };
  const ShardPlan plan = split_by_size(items, 1, "m", ".bin");
  CHECK(shard_index_text(plan, items, {}) == R"({
  "metadata": {
    "total_size": 2
  },
  "weight_map": {
    "b": "m-00001-of-00002.bin",
    "\u00e9\"": "m-00002-of-00002.bin"
  }
})");
  const std::vector<ShardItem> others = {
      {.name = "b", .size = 1},
      {.name = "a", .size = 1}
  };
  const Texts metadata = {
      {"x",                "[\n      1\n    ]"},
      {"total_size",       "7"                },
      {"total_parameters", "9"                }
  };
  CHECK(shard_index_text(plan, others, metadata, {.sorted = true, .final_newline = true}) == R"({
  "metadata": {
    "total_size": 2,
    "x": [
      1
    ]
  },
  "weight_map": {
    "a": "m-00002-of-00002.bin",
    "b": "m-00001-of-00002.bin"
  }
}
)");
  CHECK(shard_index_text(
            {
  },
            {}, Texts{{"total_parameters", "9"}, {"total_size", "0"}}) == R"({
  "metadata": {
    "total_parameters": 9,
    "total_size": 0
  },
  "weight_map": {}
})");
}

// A file with one storage of 4 bytes.
struct Source {
  Source() : file("f", bytes()), loaded(load(file, Limits{})) {}

  static std::vector<std::byte> bytes() {
    const std::string text = test::safetensors_file(
        test::safetensors_header({test::safetensors_entry("x", "U8", "[4]", "[0,4]")}), "1234");
    return {as_bytes(text).begin(), as_bytes(text).end()};
  }

  MemorySource file;
  std::unique_ptr<Loaded> loaded;
};

// "name: text", where the text of a safetensors file begins at its header.
std::vector<std::string> written(FlatCheckpoint flat, std::uint64_t most,
                                 const Sharding* before = nullptr, const Texts& given = {}) {
  const Source source;
  const std::array<const Loaded*, 1> inputs = {source.loaded.get()};
  const std::vector<ShardItem> items = shard_items(flat);
  const ShardPlan plan =
      before == nullptr ? split_by_size(items, most, "m", ".st") : split_as_before(items, *before);
  PlannedFiles files =
      plan_safetensors_shards(std::move(flat), inputs, plan, "index", before,
                              before == nullptr ? IndexStyle{} : before->style, given);
  std::vector<std::string> texts;
  for (PlannedFiles::File& file : files.files) {
    MemorySink sink;
    file.save->write(sink);
    CHECK(sink.bytes().size() == file.save->size());
    file.save->verify(MemorySource("out", sink.bytes()), true, Limits{});
    const std::string_view text = as_text(sink.bytes());
    texts.push_back(file.name + ": " + std::string(text.substr(file.name == "index" ? 0 : 8)));
  }
  return texts;
}

FlatCheckpoint two_tensors(Texts metadata) {
  FlatTensor a = {.name = "a", .dtype = DType::UInt8, .shape = {1}, .payload = {}, .offset = 0};
  FlatTensor b = {.name = "b", .dtype = DType::UInt8, .shape = {2}, .payload = {}, .offset = 1};
  return {
      .tensors = {a, b},
        .metadata = std::move(metadata)
  };
}

TEST_CASE("parts have the format, and the index has the rest of the metadata") {
  const auto files = written(two_tensors({
                                 {"format", "pt"},
                                 {"head",   "a" }
  }),
                             2);
  REQUIRE(files.size() == 3);
  CHECK(files[0] == R"(m-00001-of-00002.st: {"__metadata__":{"format":"pt"},)"
                    R"("a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}    1)");
  CHECK(files[1] == R"(m-00002-of-00002.st: {"__metadata__":{"format":"pt"},)"
                    R"("b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}    23)");
  CHECK(files[2] == R"(index: {
  "metadata": {
    "total_size": 3,
    "head": "a"
  },
  "weight_map": {
    "a": "m-00001-of-00002.st",
    "b": "m-00002-of-00002.st"
  }
})");
}

TEST_CASE("metadata that are given go into every part") {
  const Texts given = {
      {"who", "me"}
  };
  const auto files = written(two_tensors({
                                 {"format", "pt"},
                                 {"who",    "me"}
  }),
                             2, nullptr, given);
  REQUIRE(files.size() == 3);
  for (const std::size_t part : {0u, 1u}) {
    CHECK(files[part].find(R"({"__metadata__":{"format":"pt","who":"me"},)") != std::string::npos);
  }
  CHECK(files[2].find("who") == std::string::npos);
}

TEST_CASE("one part is a file like any other, without an index") {
  const auto files = written(two_tensors({
                                 {"format", "pt"},
                                 {"head",   "a" }
  }),
                             3);
  REQUIRE(files.size() == 1);
  CHECK(files[0].starts_with(R"(m.st: {"__metadata__":{"format":"pt","head":"a"},"a":)"));
}

TEST_CASE("what files and index said before they say again, as far as it holds") {
  Sharding before;
  before.index = "index";
  before.style.final_newline = true;
  before.parts.push_back({.file = "1", .format = "safetensors"});
  before.parts.push_back({.file = "2", .format = "safetensors"});
  before.parts[0].metadata.emplace_back("own", "1");
  before.parts[0].metadata.emplace_back("old", "x");
  before.part_of.emplace("a", 0);
  before.part_of.emplace("b", 1);
  before.metadata.emplace_back("gone", "\"a\"");
  before.metadata.emplace_back("n", "[1]");
  before.metadata.emplace_back("total_size", "3.0");
  const auto files = written(two_tensors({
                                 {"format", "pt"},
                                 {"head",   "a" },
                                 {"own",    "1" }
  }),
                             0, &before);
  REQUIRE(files.size() == 3);
  CHECK(files[0].starts_with(R"(1: {"__metadata__":{"own":"1"},"a":)"));
  CHECK(files[1].starts_with(R"(2: {"__metadata__":{"format":"pt"},"b":)"));
  CHECK(files[2] == R"(index: {
  "metadata": {
    "n": [1],
    "total_size": 3,
    "head": "a"
  },
  "weight_map": {
    "a": "1",
    "b": "2"
  }
}
)");
}

// A checkpoint that no file has, of a dict with two tensors of one storage, one of another, and a
// number.
struct Settled {
  Settled()
      : file(test::zip()
                 .torch_layout()
                 .member("m/data.pkl",
                         test::dict({
                             {test::text("a"), test::tensor(test::storage("7", 2), {2},          {1})                                      },
                             {test::text("n"), test::number(5)               },
                             {test::text("b"),             test::tensor(test::storage("8",                                        1),   {}, {})},
                             {test::text("c"),            test::tensor(test::storage("7",                                      2),                                        {1},                                      {1})                                      }
  }) +
                             ".")
                 .member("m/data/7", "01234567")
                 .member("m/data/8", "abcd")
                 .member("m/version", "3")
                 .source()),
        loaded(load(file, Limits{})),
        inputs{loaded.get()},
        settled(settle(
            {.base = loaded->checkpoint(), .root = loaded->checkpoint().root(), .protocol = 2},
            inputs, Limits{})) {}

  MemorySource file;
  std::unique_ptr<Loaded> loaded;
  std::array<const Loaded*, 1> inputs;
  std::unique_ptr<Loaded> settled;
};

TEST_CASE("archives of torch.save have the entries of their part each, and an index") {
  const Settled source;
  const checkpoint::Checkpoint& checkpoint = source.settled->checkpoint();
  const std::vector<ShardItem> items = shard_items(checkpoint, checkpoint.root());
  const ShardPlan plan = split_by_size(items, 8, "m", ".bin");
  CHECK(told(plan, items) == "m-00001-of-00002.bin: a n c | m-00002-of-00002.bin: b | 12");
  PlannedFiles files =
      plan_torch_shards(*source.settled, checkpoint.root(), plan, "m.bin.index.json");
  REQUIRE(files.files.size() == 3);
  std::vector<std::string> found;
  for (PlannedFiles::File& file : files.files) {
    MemorySink sink;
    file.save->write(sink);
    const MemorySource written(file.name, sink.take());
    file.save->verify(written, true, Limits{});
    if (file.name.ends_with("json")) continue;
    const auto part = load(written, Limits{});
    CHECK(part->facts().root == file.name.substr(0, file.name.size() - 4));
    const checkpoint::Listing listing =
        list(part->checkpoint(), part->checkpoint().root(), checkpoint::Want::Everything);
    for (std::size_t i = 0; i < listing.tensors().size(); ++i) {
      found.emplace_back(listing.tensors()[i].path);
    }
    const auto bytes = part->open_storage(checkpoint::StorageId{0});
    found.emplace_back(as_text(bytes->read(0, bytes->size())));
    CHECK(part->checkpoint().tensors().storage_count() == 1);
  }
  CHECK(found == std::vector<std::string>{"a", "c", "01234567", "b", "abcd"});
  CHECK(files.files[2].name == "m.bin.index.json");
}

TEST_CASE("an entry has the size of all below it, and stays with what shares a storage of that") {
  const test::Fragment nested = test::dict({
      {test::text("x"), test::tensor(test::storage("0", 2), {2}, {1})},
      {test::text("y"), test::tensor(test::storage("1", 3), {1}, {1})}
  });
  const MemorySource file =
      test::zip()
          .torch_layout()
          .member("m/data.pkl",
                  test::dict({
                      {test::text("a"), test::tensor(test::storage("2", 1), {},           {})                                      },
                      {test::text("n"), test::list({nested})          },
                      {test::text("t"),            test::tensor(test::storage("1",                                      3),   {3}, {1})}
  }) +
                      ".")
          .member("m/data/0", "01234567")
          .member("m/data/1", "0123456789ab")
          .member("m/data/2", "abcd")
          .member("m/version", "3")
          .source();
  const auto loaded = load(file, Limits{});
  const std::vector<ShardItem> items =
      shard_items(loaded->checkpoint(), loaded->checkpoint().root());
  CHECK(told(split_by_size(items, 4, "m", ".bin"), items) ==
        "m-00001-of-00002.bin: n t | m-00002-of-00002.bin: a | 24");
}

TEST_CASE("what is no dict of names is not written in parts") {
  const Source source;
  const checkpoint::Checkpoint& checkpoint = source.loaded->checkpoint();
  const auto items = checkpoint::pairs_of(checkpoint.names(), checkpoint.root());
  CHECK(refused([&] { shard_items(checkpoint, items->front().value); }) ==
        "f: only a dict of names can be written in parts");
}

TEST_CASE("an index that was not written as planned is found when it is read back") {
  const Source source;
  const std::array<const Loaded*, 1> inputs = {source.loaded.get()};
  FlatCheckpoint flat = two_tensors({});
  const ShardPlan plan = split_by_size(shard_items(flat), 2, "m", ".st");
  const PlannedFiles files = plan_safetensors_shards(std::move(flat), inputs, plan, "index");
  CHECK(refused([&] {
          files.files.back().save->verify(MemorySource("out", {}), false, Limits{});
        }) == "out: read back: another text than was written");
}

}  // namespace
}  // namespace ptsd::format
