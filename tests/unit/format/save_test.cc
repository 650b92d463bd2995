// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "base/byte_sink.h"
#include "base/crc32.h"
#include "checkpoint/mapping.h"
#include "container/serialization_id.h"
#include "format/probe.h"
#include "format/torch_zip_save.h"
#include "support/refusal.h"
#include "support/zip_assembler.h"
#include "unit/checkpoint/loading.h"

namespace ptsd::format {
namespace {

using namespace test;
using container::Member;
using test::list;
using test::pickle;
using test::tensor;
using Lines = std::vector<std::string>;

std::string stopped(const Fragment& root) {
  return fragment(pickle().proto(2)) + root + ".";
}

Fragment two_weights() {
  return dict({
      {text("a"), tensor(storage("0", 2), {2}, {1})},
      {text("b"), tensor(storage("1", 1), {1}, {1})}
  });
}

// The records that torch 2.7 writes, with two storages.
ZipAssembler archive(const Fragment& root) {
  return zip()
      .torch_layout()
      .member("m/data.pkl", stopped(root))
      .member("m/.format_version", "1")
      .member("m/.storage_alignment", "64")
      .member("m/byteorder", "little")
      .member("m/data/0", "01234567")
      .member("m/data/1", "abcd")
      .member("m/version", "3\n");
}

struct Saving {
  explicit Saving(const ZipAssembler& assembler)
      : source(assembler.source()),
        loaded(load(source, Limits{})),
        draft{.base = loaded->checkpoint(),
              .root = loaded->checkpoint().root(),
              .protocol = loaded->checkpoint().pickle().protocol} {}

  std::vector<std::byte> save(const SaveOptions& options = {}) {
    const std::array<const Loaded*, 1> inputs = {loaded.get()};
    TorchZipSave archive(draft, inputs, options);
    MemorySink sink;
    archive.write(sink);
    CHECK(sink.bytes().size() == archive.size());
    archive.verify(MemorySource("out", sink.bytes()), true, Limits{});
    return sink.take();
  }
  Lines members(const SaveOptions& options = {}) {
    const MemorySource written("out", save(options));
    const container::ZipReader zip(written, Limits{});
    Lines names;
    for (const Member& member : zip.members()) {
      names.emplace_back(member.name);
    }
    return names;
  }
  std::string refusal(const SaveOptions& options = {}) {
    return refused([&] { save(options); });
  }

  void drop(std::string_view key) {
    std::vector<checkpoint::Pair> kept;
    const auto& names = draft.base.names();
    const auto pairs = pairs_of(names, draft.root).value();
    for (const checkpoint::Pair& pair : pairs) {
      if (draft.base.graph().text(pair.key) != key) kept.push_back(pair);
    }
    replace_pairs(draft.base.graph(), names, draft.root, kept);
    draft.pickle_changed = true;
  }

  MemorySource source;
  std::unique_ptr<Loaded> loaded;
  checkpoint::Draft draft;
};

std::vector<std::byte> bytes_of(const MemorySource& source) {
  return source.read(0, source.size());
}

TEST_CASE("what no edit changes comes out with the same bytes") {
  Saving saving(archive(two_weights()));
  CHECK(saving.save() == bytes_of(saving.source));
}

TEST_CASE("an archive in another layout gets torch's") {
  const Fragment root = two_weights();
  Saving saving(zip()
                    .deflated("m/data.pkl", stopped(root))
                    .member("m/data/1", "abcd")
                    .member("m/data/0", "01234567")
                    .member("m/version", "3\n"));
  const MemorySource written("out", saving.save());
  const container::ZipReader zip(written, Limits{});
  for (const Member& member : zip.members()) {
    CHECK(zip.data_offset(member) % 64 == 0);
  }
  CHECK(zip.account().slack.empty());
}

TEST_CASE("records that no tensor uses any more are left out, others are kept") {
  Saving saving(archive(two_weights()).member("m/extra", "x").member("m/data/9", "orphan"));
  saving.drop("b");
  const Lines kept = {"m/data.pkl",  "m/.format_version", "m/.storage_alignment",
                      "m/byteorder", "m/data/0",          "m/version",
                      "m/extra",     "m/data/9"};
  CHECK(saving.members() == kept);
  saving.draft.drop_unused = true;
  CHECK(saving.members() == Lines(kept.begin(), kept.end() - 1));
}

TEST_CASE("the promise on the order of storages goes when the first is not 0") {
  Saving saving(archive(two_weights()));
  saving.drop("a");
  CHECK(saving.members() == Lines{"m/data.pkl", "m/byteorder", "m/data/1", "m/version"});
}

TEST_CASE("storages follow the order of their first mention where the file promises that") {
  Saving saving(archive(two_weights()));
  const auto& names = saving.draft.base.names();
  auto pairs = pairs_of(names, saving.draft.root).value();
  std::swap(pairs[0], pairs[1]);
  replace_pairs(saving.draft.base.graph(), names, saving.draft.root, pairs);
  saving.draft.pickle_changed = true;
  CHECK(saving.members() ==
        Lines{"m/data.pkl", "m/byteorder", "m/data/1", "m/data/0", "m/version"});
}

TEST_CASE("the sum of CRCs in the serialization id is made anew if it was right") {
  const std::string root = stopped(two_weights());
  std::uint64_t folded = 0;
  for (const std::string& data : {root, std::string("01234567"), std::string("abcd")}) {
    folded = container::fold_crc(folded, crc32(as_bytes(data)));
  }
  const auto with_id = [&](std::uint64_t contents) {
    return zip()
        .torch_layout()
        .member("m/data.pkl", root)
        .member("m/data/0", "01234567")
        .member("m/data/1", "abcd")
        .member("m/.data/serialization_id", to_string(container::SerializationId{7, contents}))
        .member("m/version", "3\n");
  };
  const auto id_after = [](const ZipAssembler& assembler) {
    Saving saving(assembler);
    saving.drop("b");
    const MemorySource written("out", saving.save());
    const container::ZipReader zip(written, Limits{});
    const Member* const member = zip.find("m/.data/serialization_id");
    REQUIRE(member != nullptr);
    const auto bytes = zip.read(*member, 100).bytes;
    return container::parse_serialization_id(as_text(bytes)).value();
  };
  CHECK(id_after(with_id(folded)).names == 7);
  CHECK(id_after(with_id(folded)).contents != folded);
  CHECK(id_after(with_id(5)) == container::SerializationId{7, 5});
}

TEST_CASE("checksums and alignment are as asked") {
  Saving saving(archive(two_weights()));
  const MemorySource written("out", saving.save({.checksums = false, .alignment = 4096}));
  const container::ZipReader zip(written, Limits{});
  CHECK_FALSE(zip.has_checksums());
  for (const Member& member : zip.members()) {
    CHECK(zip.data_offset(member) % 4096 == 0);
  }
  const auto alignment = zip.read(*zip.find("m/.storage_alignment"), 10).bytes;
  CHECK(as_text(alignment) == "4096");
  CHECK(saving.refusal({.alignment = 1 << 20}).starts_with("--align: 1048576 is more than"));
}

TEST_CASE("a wrong CRC is copied as it is, and not made right") {
  Saving saving(archive(two_weights()).member("m/broken", "data").crc(7));
  const MemorySource written("out", [&] {
    const std::array<const Loaded*, 1> inputs = {saving.loaded.get()};
    TorchZipSave save(saving.draft, inputs, {});
    MemorySink sink;
    save.write(sink);
    return sink.take();
  }());
  CHECK(written.read(0, written.size()) == bytes_of(saving.source));
}

TEST_CASE("what the encoder refuses is named with its file") {
  Saving saving(archive(dict({
      {text("f"), global("m", "a")}
  })));
  pickle::Graph& graph = saving.draft.base.graph();
  for (std::size_t i = 0; i < graph.size(); ++i) {
    const pickle::NodeId node{static_cast<std::uint32_t>(i)};
    if (graph.kind(node) == pickle::Kind::Global) graph.replace_global(node, {"m", "a\nb"});
  }
  saving.draft.pickle_changed = true;
  CHECK(saving.refusal().find(": m/data.pkl+0x") != std::string::npos);
  CHECK(saving.refusal().find("global 'm'.'a\\x0ab'") != std::string::npos);
}

// What verify() says of `bytes` in the place of what the archive wrote.
std::string read_back(const TorchZipSave& archive, std::vector<std::byte> bytes, bool payload) {
  const MemorySource written("out", std::move(bytes));
  return refused([&] { archive.verify(written, payload, Limits{}); });
}

TEST_CASE("an output that is not as it was written is found when it is read back") {
  Saving saving(archive(two_weights()));
  saving.draft.pickle_changed = true;
  const std::array<const Loaded*, 1> inputs = {saving.loaded.get()};
  TorchZipSave save(saving.draft, inputs, {});
  MemorySink sink;
  save.write(sink);
  const std::vector<std::byte> written = sink.take();
  const auto place = [&](std::string_view text) {
    return static_cast<std::size_t>(as_text(written).find(text));
  };
  const auto flipped = [&](std::size_t at) {
    std::vector<std::byte> bytes = written;
    bytes.at(at) ^= std::byte{1};
    return bytes;
  };
  CHECK(read_back(save, written, true).empty());

  const std::vector<std::byte> other_weight = flipped(place("01234567"));
  CHECK(read_back(save, other_weight, false).empty());
  CHECK(read_back(save, other_weight, true) ==
        fmt::format("out: m/data/0: read back: the CRC is {:#010x}, expected {:#010x}",
                    crc32(as_bytes("11234567")), crc32(as_bytes("01234567"))));
  // The key of a storage, in the pickle.
  CHECK(read_back(save, flipped(place("storage") + 1), false) ==
        "out: m/data.pkl: read back: other bytes");
  // The last name, in the directory.
  const std::size_t name = as_text(written).rfind("m/version");
  CHECK(read_back(save, flipped(name + 8), false) ==
        "out: m/version: read back: another name, size or CRC than was written");
  Saving longer(archive(two_weights()).member("m/extra", "x"));
  CHECK(read_back(save, longer.save(), false) == "out: read back: 8 members, expected 7");
}

TEST_CASE("what an edit would lose stops it") {
  const std::string root = stopped(two_weights());
  const auto behind = [&](std::string_view more) {
    return zip()
        .torch_layout()
        .member("m/data.pkl", root + std::string(more))
        .member("m/data/0", "01234567")
        .member("m/data/1", "abcd")
        .member("m/version", "3\n");
  };
  Saving saving(behind("xyz"));
  CHECK(saving.refusal().empty());
  saving.draft.pickle_changed = true;
  CHECK(saving.refusal().find("3 bytes after the end of the pickle") != std::string::npos);
  CHECK(saving.refusal({.force = true}).empty());
  Saving stranger(archive(two_weights()).member("other/x", "y"));
  CHECK(stranger.refusal().find("outside the root 'm'") != std::string::npos);
}

}  // namespace
}  // namespace ptsd::format
