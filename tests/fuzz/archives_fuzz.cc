// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.h"
#include "checkpoint/listing.h"
#include "format/probe.h"
#include "fuzz.h"
#include "support/zip_assembler.h"

// Opens archives of TorchScript, torch.export and torch.package, lists them, and reads their
// storages. The first letter of an input says what the rest is of a well-formed archive, so that a
// mutation need not keep a CRC.

namespace ptsd::fuzz {
namespace {

using test::zip;
using test::ZipAssembler;

constexpr Limits kLimits = {.pickle_bytes = 1 << 20,
                            .inflated_bytes = 1 << 20,
                            .directory_bytes = 1 << 20,
                            .depth = 200,
                            .entries = 100'000};
constexpr std::uint64_t kMostRead = 1 << 16;  // bytes of one storage
constexpr std::string_view kEmptyTuple = ").";
constexpr std::string_view kEmptyDict = "}.";

constexpr std::string_view kCode =
    "class M(Module):\n"
    "  __parameters__ = [\"weight\", \"w\", ]\n"
    "  __buffers__ = [\"b\", ]\n"
    "class Other:\n"
    "  x : int\n";

ZipAssembler script(std::string_view objects, std::string_view constants) {
  return zip()
      .torch_layout()
      .member("m/data.pkl", objects)
      .member("m/code/__torch__.py", kCode)
      .member("m/data/0", std::string(1024, '\0'))
      .member("m/data/1", std::string(64, '\0'))
      .member("m/constants.pkl", constants)
      .member("m/constants/0", std::string(64, '\0'))
      .member("m/version", "3\n");
}

ZipAssembler exported(std::string_view weights, std::string_view constants) {
  const std::string blob =
      zip().torch_layout().member("x/data.pkl", kEmptyDict).member("x/version", "3\n").text();
  return zip()
      .torch_layout()
      .member("m/archive_format", "pt2")
      .member("m/models/m.json", "{}")
      .member("m/data/weights/weight_0", std::string(1024, '\0'))
      .member("m/data/weights/weight_1", std::string(64, '\0'))
      .member("m/data/weights/weight_2", std::string(64, '\0'))
      .member("m/data/weights/blob", blob)
      .member("m/data/weights/m_weights_config.json", weights)
      .member("m/data/constants/tensor_0", std::string(64, '\0'))
      .member("m/data/constants/tensor_1", std::string(64, '\0'))
      .member("m/data/constants/m_constants_config.json", constants)
      .member("m/.data/version", "3\n");
}

ZipAssembler package(std::string_view object) {
  return zip()
      .torch_layout()
      .member("m/.data/extern_modules", "")
      .member("m/.data/0.storage", std::string(1024, '\0'))
      .member("m/.data/1.storage", std::string(64, '\0'))
      .member("m/a/model.pkl", object)
      .member("m/b/same.pkl", object)
      .member("m/.data/version", "6\n");
}

struct Kind {
  char letter;
  ZipAssembler (*archive)(std::string_view rest);
};

constexpr auto kKinds = std::to_array<Kind>({
    {'S', [](std::string_view rest) { return script(rest, kEmptyTuple); }          },
    {'C', [](std::string_view rest) { return script(kEmptyDict, rest); }           },
    {'W', [](std::string_view rest) { return exported(rest, R"({"config": {}})"); }},
    {'K', [](std::string_view rest) { return exported(R"({"config": {}})", rest); }},
    {'P', [](std::string_view rest) { return package(rest); }                      },
});

void load_and_read(const ByteSource& source) {
  const std::unique_ptr<format::Loaded> loaded = format::load({.source = source}, kLimits);
  const checkpoint::Checkpoint& checkpoint = loaded->checkpoint();
  for (const Warning& warning : loaded->warnings()) {
    require(!warning.message.empty());
  }
  unless_refused([&] { list(checkpoint, checkpoint.root(), checkpoint::Want::Everything); });
  for (std::size_t i = 0; i < checkpoint.tensors().storage_count(); ++i) {
    unless_refused([&] {
      const checkpoint::StorageId id{static_cast<std::uint32_t>(i)};
      const auto storage = loaded->open_storage(id);
      storage->read(0, std::min(storage->size(), kMostRead));
      require(!loaded->range(id) || loaded->range(id)->size == storage->size());
    });
  }
}

}  // namespace
}  // namespace ptsd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ptsd::fuzz;
  const std::string_view input = ptsd::as_text(input_bytes(data, size));
  const auto* const kind =
      std::ranges::find_if(kKinds, [&](const Kind& row) { return input.starts_with(row.letter); });
  if (kind == kKinds.end()) return 0;
  const ptsd::MemorySource source = kind->archive(input.substr(1)).source();
  unless_refused([&] { load_and_read(source); });
  return 0;
}
