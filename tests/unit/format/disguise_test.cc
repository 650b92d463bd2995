// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>

#include "format/probe.h"
#include "support/zip_assembler.h"
#include "unit/checkpoint/loading.h"
#include "unit/format/legacy_stream.h"

// What a file is called, and what bytes inside it look like, decides nothing; a call is seen
// wherever it stands, and never made.

namespace ptsd::format {
namespace {

using namespace test;
using checkpoint::texts;
using test::pickle;
using test::tensor;
using Lines = std::vector<std::string>;

MemorySource named(std::string name, std::string_view bytes) {
  return {
      std::move(name), {as_bytes(bytes).begin(), as_bytes(bytes).end()}
  };
}

std::string root_type(const Loaded& loaded) {
  return type_of(loaded.checkpoint().names(), loaded.checkpoint().root());
}

Fragment run_something() {
  return call(global("os", "system"), {text("touch /tmp/run")});
}

TEST_CASE("a bare pickle is one under any name, with PROTO or without") {
  const auto pickles = std::to_array<std::string>({
      "cos\nsystem\n(S'touch /tmp/run'\ntR.",
      "(S'touch /tmp/run'\nios\nsystem\n.",
      fragment(pickle().proto(2)) + run_something() + ".",
      fragment(pickle().proto(4).binunicode("os").binunicode("system").stack_global()) +
          tuple({text("touch /tmp/run")}) + fragment(pickle().reduce()) + ".",
  });
  for (const std::string& bytes : pickles) {
    for (const char* name : {"m.pt", "m.safetensors", "m.npy", "m.npz", "m.json", "m.zip",
                             "model.safetensors.index.json", "readme.txt", "m"}) {
      const MemorySource source = named(name, bytes);
      const auto loaded = load(source, Limits{});
      CHECK(loaded->facts().format == "pickle");
      CHECK(root_type(*loaded) == "os.system");
    }
  }
}

TEST_CASE("a call in a legacy stream's object is listed") {
  LegacyStream stream = {.root = run_something()};
  CHECK(root_type(*load(stream.source(), Limits{})) == "os.system");
  stream.root = build(call(global("collections", "OrderedDict"), {}), run_something());
  CHECK(load(stream.source(), Limits{})->facts().format == "torch-legacy");
}

TEST_CASE("bytes of a tensor may look like anything, and raise no alarm") {
  const std::string call_of = "cos\nsystem\n(S'touch /tmp/run'\ntR.";
  const std::string archive =
      zip().member("m/data.pkl", none() + ".").member("m/version", "3\n").text();
  const auto contents = std::to_array<std::string>({
      call_of,
      fragment(pickle().proto(2)) + run_something() + ".",
      archive,
      "\x7f"
      "ELF",
      "#!/bin/sh\n",
  });
  for (std::string bytes : contents) {
    bytes.resize((bytes.size() + 3) / 4 * 4);
    const auto count = static_cast<std::int64_t>(bytes.size() / 4);
    const Fragment weight = dict({
        {text("w"), tensor(storage("0", count), {count}, {1})}
    });
    const MemorySource source = zip()
                                    .torch_layout()
                                    .member("m/data.pkl", weight + ".")
                                    .member("m/data/0", bytes)
                                    .member("m/version", "3\n")
                                    .source();
    CHECK(texts(load(source, Limits{})->warnings()) == Lines{});

    const LegacyStream stream = {
        .root = tensor(legacy_storage("0", count), {count       },
            {1           }
            ),
        .tail = LegacyStream::data({{"0", bytes}}
            )
    };
    const MemorySource legacy = stream.source();
    CHECK(texts(load(legacy, Limits{})->warnings()) == Lines{});
  }
}

TEST_CASE("a checkpoint inside a checkpoint is a record that no tensor uses, and is told of") {
  const std::string inner =
      zip().member("n/data.pkl", run_something() + ".").member("n/version", "3\n").text();
  const MemorySource source = zip()
                                  .torch_layout()
                                  .member("m/data.pkl", dict({}) + ".")
                                  .member("m/data/0", inner)
                                  .member("m/version", "3\n")
                                  .source();
  const auto loaded = load(source, Limits{});
  CHECK(loaded->checkpoint().tensors().storage_count() == 0);
  CHECK(loaded->warnings().size() == 1);
}

}  // namespace
}  // namespace ptsd::format
