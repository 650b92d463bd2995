// SPDX-License-Identifier: Apache-2.0
#include "format/legacy_save.h"

#include <array>

#include "checkpoint/mapping.h"
#include "format/legacy.h"
#include "format/probe.h"
#include "support/refusal.h"
#include "support/zip_assembler.h"
#include "unit/checkpoint/loading.h"
#include "unit/format/legacy_stream.h"

namespace ptsd::format {
namespace {

using namespace test;
using test::list;
using test::pickle;
using test::tensor;
using Lines = std::vector<std::string>;

LegacyStream two_weights() {
  return {
      .root = dict({{text("a"), tensor(legacy_storage("7", 2), {2}, {1})},
                    {text("b"), tensor(legacy_storage("12", 1), {1}, {1})}                  }
        ),
      .tail = LegacyStream::data({{"12", "abcd"},                                        {"7", "01234567"}}
        )
  };
}

struct Saving {
  explicit Saving(const MemorySource& file)
      : source(file),
        loaded(load(source, Limits{})),
        draft{.base = loaded->checkpoint(),
              .root = loaded->checkpoint().root(),
              .protocol = loaded->checkpoint().pickle().protocol} {}

  std::string save() {
    const std::array<const Loaded*, 1> inputs = {loaded.get()};
    LegacySave stream(draft, inputs);
    MemorySink sink;
    stream.write(sink);
    CHECK(sink.bytes().size() == stream.size());
    stream.verify(MemorySource("out", sink.bytes()), true, Limits{});
    return std::string(as_text(sink.bytes()));
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

MemorySource memory(std::string_view bytes) {
  return {
      "m.pt", {as_bytes(bytes).begin(), as_bytes(bytes).end()}
  };
}

MemorySource zip_of(const Fragment& root) {
  return zip()
      .torch_layout()
      .member("m/data.pkl", LegacyStream::pickled(root))
      .member("m/data/0", "01234567")
      .member("m/data/1", "abcd")
      .member("m/version", "3\n")
      .source();
}

Lines entries(const std::string& bytes) {
  const MemorySource source = memory(bytes);
  return checkpoint::entries(load(source, Limits{})->checkpoint());
}

TEST_CASE("a legacy stream that no edit changes comes out with the same bytes") {
  LegacyStream stream = two_weights();
  stream.tail += "and what follows";
  CHECK(Saving(stream.source()).save() == stream.text_of());
}

TEST_CASE("an edit of a legacy stream keeps keys, and what follows") {
  LegacyStream stream = two_weights();
  stream.tail += two_weights().text_of();
  Saving saving(stream.source());
  saving.drop("a");
  const std::string saved = saving.save();
  CHECK(entries(saved) == Lines{"b: tensor float32 [1] stride [1]"});
  CHECK(saved.ends_with(LegacyStream::u64(1) + "abcd" + two_weights().text_of()));
}

TEST_CASE("a class keeps its source where an edit leaves it") {
  const Fragment cls =
      persistent(tuple({text("module"), global("m", "C"), text("m.py"), text("class C: pass")}));
  const LegacyStream stream = {
      .root = dict(
          {{text("a"), cls + fragment(pickle().empty_tuple().newobj())}, {text("b"), none()}}
            )
  };
  Saving saving(stream.source());
  saving.drop("b");
  const std::string saved = saving.save();
  CHECK(saved.find("class C: pass") != std::string::npos);
  const MemorySource source = memory(saved);
  CHECK(load(source, Limits{})->legacy()->containers.size() == 1);
}

TEST_CASE("parts of storages become storages when the pickle is written anew") {
  const LegacyStream stream = {
      .root = dict({{text("a"), tensor(legacy_storage("1", 3, view_of("2", 1, 2)), {2}, {1})},
                    {text("b"), none()}}
        ),
      .tail = LegacyStream::data({{"1", "aaaabbbbcccc"}                                                                        }
        )
  };
  CHECK(Saving(stream.source()).save() == stream.text_of());
  Saving saving(stream.source());
  saving.drop("b");
  CHECK(saving.save().ends_with(LegacyStream::u64(2) + "bbbbcccc"));
}

TEST_CASE("an archive becomes a legacy stream, with the storages in the order of their keys") {
  Saving saving(zip_of(list({tensor(storage("1", 1), {1}, {1}), tensor(storage("0", 2), {2}, {1}),
                             tensor(storage("1", 1), {}, {})})));
  const std::string saved = saving.save();
  CHECK(entries(saved) == Lines{"0: tensor float32 [1] stride [1]",
                                "1: tensor float32 [2] stride [1]", "2: tensor float32 []"});
  CHECK(saved.ends_with(LegacyStream::u64(2) + "01234567" + LegacyStream::u64(1) + "abcd"));
  CHECK(Saving(memory(saved)).save() == saved);
}

TEST_CASE("the header is torch's at every protocol") {
  Saving saving(zip_of(none()));
  for (const unsigned protocol : {1u, 2u, 4u}) {
    saving.draft.protocol = protocol;
    const std::string saved = saving.save();
    CHECK(entries(saved) == checkpoint::entries(saving.loaded->checkpoint()));
    CHECK(saved.starts_with(protocol == 1   ? "L119547037146038801333356L\n.M\xe9\3."
                            : protocol == 2 ? "\x80\2\x8a\x0a\x6c\xfc\x9c\x46"
                                            : "\x80\4\x95\x0d"));
  }
}

TEST_CASE("a storage without a dtype of its own is refused, since torch.load would") {
  Saving saving(zip_of(tensor(storage("0", 8, "UntypedStorage"), {8}, {1})));
  CHECK(refused([&] { saving.save(); }) ==
        "m.pt: storage '0' is an UntypedStorage (its dtype has no class of its own), which "
        "torch.load refuses in a legacy stream");
}

TEST_CASE("what was damaged after it was written is noticed") {
  Saving saving(two_weights().source());
  saving.drop("b");
  const std::array<const Loaded*, 1> inputs = {saving.loaded.get()};
  LegacySave stream(saving.draft, inputs);
  MemorySink sink;
  stream.write(sink);
  std::vector<std::byte> damaged = sink.take();
  damaged.back() ^= std::byte{1};
  const MemorySource written("out", damaged);
  stream.verify(written, false, Limits{});
  CHECK(refused([&] {
          stream.verify(written, true, Limits{});
        }).ends_with("read back: other bytes than were written"));
  damaged.pop_back();
  CHECK(refused([&] { stream.verify(MemorySource("out", damaged), false, Limits{}); }) != "");
}

}  // namespace
}  // namespace ptsd::format
