// SPDX-License-Identifier: Apache-2.0
#include "format/assembly.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "checkpoint/mapping.h"
#include "format/probe.h"
#include "format/settle.h"
#include "format/torch_zip_save.h"
#include "support/refusal.h"
#include "support/zip_assembler.h"
#include "unit/checkpoint/fragments.h"

namespace ptsd::format {
namespace {

using namespace test;
using checkpoint::StorageId;

constexpr auto kShape = std::to_array<std::int64_t>({2, 3});

std::vector<std::byte> numbered(std::size_t count) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i < count; ++i) {
    bytes.push_back(static_cast<std::byte>(i));
  }
  return bytes;
}

// Two tensors over parts of one source, in a dict.
struct Put {
  Put() : source("f", numbered(100)), assembly({.file = "f"}, {.format = "made"}) {
    auto& builder = assembly.builder();
    const std::array items = {
        builder.str("w"),
        assembly.tensor(tensor::DType::Float32, kShape,
                        std::make_unique<RangeBytes>(source, 10, 24)),
        builder.str("e"),
        assembly.tensor(tensor::DType::Float8E5M2, kShape,
                        std::make_unique<RangeBytes>(source, 40, 6)),
    };
    root = builder.dict(items);
  }

  MemorySource source;
  Assembly assembly;
  pickle::NodeId root{};
};

TEST_CASE("tensors have the bytes that their storages are bound to") {
  Put put;
  const auto loaded = put.assembly.finish(put.root, {});
  const checkpoint::Tensors& tensors = loaded->checkpoint().tensors();
  REQUIRE(tensors.count() == 2);
  REQUIRE(tensors.storage_count() == 2);
  CHECK(tensors[checkpoint::TensorId{1}].dtype == tensor::DType::Float8E5M2);
  const StorageId second{1};
  CHECK(loaded->file_offset(second) == 40);
  CHECK(loaded->open_storage(second)->read(0, 2) == std::vector{std::byte{40}, std::byte{41}});
}

TEST_CASE("what is adopted gets keys of its own, and keeps its sharing") {
  const Fragment two = dict({
      {text("a"), test::tensor(storage("0", 2), {2}, {1})},
      {text("b"), test::tensor(storage("0", 2), {2}, {1})}
  });
  const auto stream = test::pickle().raw(two).stop();
  const MemorySource zip = test::zip()
                               .member("m/data.pkl", as_text(stream))
                               .member("m/data/0", "abcdefgh")
                               .member("m/version", "3\n")
                               .source();
  Put put;
  const pickle::NodeId part = put.assembly.adopt(load(zip, {}));
  auto& builder = put.assembly.builder();
  const std::array items = {builder.str("own"), put.root, builder.str("part"), part};
  const auto loaded = put.assembly.finish(builder.dict(items), {});
  CHECK(loaded->checkpoint().tensors().storage_count() == 3);
  const auto storage = loaded->checkpoint().tensors().find_storage("2");
  REQUIRE(storage);
  CHECK(as_text(loaded->open_storage(*storage)->read(0, 8)) == "abcdefgh");
}

TEST_CASE("a part of another byte order is refused") {
  const auto stream = test::pickle().none().stop();
  const MemorySource zip = test::zip()
                               .member("m/data.pkl", as_text(stream))
                               .member("m/byteorder", "big")
                               .member("m/version", "3\n")
                               .source();
  Put put;
  CHECK(refused([&] {
          put.assembly.adopt(load(zip, {}));
        }).find("big-endian, in a little-endian checkpoint") != std::string::npos);
}

TEST_CASE("an archive is made of it, with storages in the order of their mention") {
  Put put;
  const auto loaded = put.assembly.finish(put.root, {});
  const Loaded* const input = loaded.get();
  const checkpoint::Draft draft = {.base = loaded->checkpoint(), .root = put.root, .protocol = 2};
  TorchZipSave save(draft, Inputs(&input, 1), {.root = "made"});
  MemorySink sink;
  save.write(sink);
  CHECK(sink.bytes().size() == save.size());
  const MemorySource written("out.pt", sink.take());
  save.verify(written, true, {});
  const auto again = load(written, {});
  CHECK(again->facts().format == "torch-zip");
  CHECK(again->facts().root == "made");
  CHECK(again->facts().writer == "torch 2.7 or later");
  CHECK(again->open_storage(StorageId{0})->read(0, 24) == put.source.read(10, 24));
}

TEST_CASE("a draft is settled as it would be read again") {
  Put put;
  const auto loaded = put.assembly.finish(put.root, {});
  const Loaded* const input = loaded.get();
  checkpoint::Draft draft = {.base = loaded->checkpoint(), .root = put.root, .protocol = 2};
  const std::vector<checkpoint::Pair> pairs = *pairs_of(draft.base.names(), draft.root);
  replace_pairs(draft.base.graph(), draft.base.names(), draft.root, std::array{pairs[1]});
  const auto settled = settle(draft, Inputs(&input, 1), {});
  REQUIRE(settled->checkpoint().tensors().storage_count() == 1);
  CHECK(settled->open_storage(StorageId{0})->read(0, 6) == put.source.read(40, 6));
  REQUIRE(settled->range(StorageId{0}));
  CHECK(settled->range(StorageId{0})->offset == 40);
}

}  // namespace
}  // namespace ptsd::format
