// SPDX-License-Identifier: Apache-2.0
#include "format/package.h"

#include "format/probe.h"
#include "support/refusal.h"
#include "support/zip_assembler.h"
#include "unit/checkpoint/loading.h"

namespace ptsd::format {
namespace {

using namespace test;
using checkpoint::Lines;
using test::pickle;
using test::tensor;

// Keys are numbers.
Fragment weight(std::int64_t key, std::string_view cls = "FloatStorage", std::int64_t count = 2) {
  const Fragment id = persistent(
      tuple({text("storage"), storage_class(cls), number(key), text("cpu"), number(count)}));
  return tensor(id, {2}, {1});
}

ZipAssembler archive() {
  return zip()
      .torch_layout()
      .member("p/.data/0.storage", "abcdefgh")
      .member("p/.data/extern_modules", "")
      .member("p/code/m.py", "import torch")
      .member("p/notes.txt", "notes.")
      .member("p/.data/version", "6\n");
}

TEST_CASE("pickles are told by their content, and share storages") {
  const MemorySource source = archive()
                                  .member("p/m/model.pkl", dict({
                                                               {text("w"), weight(0)}
  }) +
                                                               ".")
                                  .member("p/m/other", "\x80\x03" + weight(0) + ".")
                                  .member("p/.data/ts_code/0/data.pkl", "x")
                                  .source();
  const auto loaded = load(source, Limits{});
  CHECK(checkpoint::entries(loaded->checkpoint()) ==
        Lines{"m~1model.pkl/w: tensor float32 [2] stride [1]",
              "m~1other: tensor float32 [2] stride [1]"});
  REQUIRE(loaded->checkpoint().tensors().storage_count() == 1);
  const auto storage = loaded->open_storage(checkpoint::StorageId{0});
  CHECK(as_text(storage->read(0, storage->size())) == "abcdefgh");
  CHECK(loaded->facts().format == "torch-package");
  CHECK(checkpoint::texts(loaded->warnings()) ==
        Lines{"m.pt: p/.data/ts_code/: scripted modules, which are not shown"});
}

TEST_CASE("a package whose storages do not fit is refused") {
  const auto refused_with = [](const Fragment& value) {
    return refused([&] {
      const MemorySource source = archive().member("p/m.pkl", value + ".").source();
      load(source, Limits{});
    });
  };
  CHECK(refused_with(weight(1)) == "m.pt: p/m.pkl+0x60: there is no record '.data/1.storage'");
  CHECK(refused_with(weight(0, "FloatStorage", 3)) ==
        "m.pt: p/m.pkl+0x60: record '.data/0.storage' holds 8 bytes, the pickle declares 12");
  CHECK(refused_with(weight(0, "UntypedStorage", 8)) == "");
}

TEST_CASE("the compressed pickles of an archive are bounded together") {
  const MemorySource source = zip()
                                  .member("p/.data/extern_modules", "")
                                  .deflated("p/a.pkl", text(std::string(300, 'x')) + ".")
                                  .deflated("p/b.pkl", text(std::string(300, 'y')) + ".")
                                  .source();
  CHECK(refused([&] { load(source, {.pickle_bytes = 128 * 620}); }) == "");
  CHECK(refused([&] { load(source, {.pickle_bytes = 128 * 600}); }) ==
        "m.pt: p/b.pkl: compressed, and 306 bytes inflated: 600 are allowed of the compressed "
        "pickles of an archive, a 128th of --limit pickle-bytes=N");
}

}  // namespace
}  // namespace ptsd::format
