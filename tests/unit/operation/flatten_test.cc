// SPDX-License-Identifier: Apache-2.0
#include "operation/flatten.h"

#include <string>
#include <utility>
#include <vector>

#include "unit/operation/drafted.h"

namespace ptsd::operation {
namespace {

using namespace test;
using checkpoint::FlatTensor;
using checkpoint::Loading;
using test::tensor;

using Lines = std::vector<std::string>;
using Texts = std::vector<std::pair<std::string, std::string>>;

Fragment one_entry(const Fragment& key, const Fragment& value) {
  return dict(Pairs(1, {key, value}));
}

Flattened flat(const Fragment& root, const FlattenOptions& options = {},
               const Texts& metadata = {}) {
  const Loading loading(root);
  const checkpoint::Checkpoint& read = loading.checkpoint;
  return flatten(read, read.root(), choose_state_dicts(read, read.root(), {}).front(), options,
                 metadata);
}

std::string refusal_of(const Fragment& root, const FlattenOptions& options = {}) {
  return refused([&] { flat(root, options); });
}

// "w float32 [2, 3] from 4", or "... gathered".
Lines lines(const Flattened& flattened) {
  Lines all;
  for (const FlatTensor& each : flattened.flat.tensors) {
    all.push_back(fmt::format(
        "{} {} [{}] {}", each.name, tensor::name(each.dtype), fmt::join(each.shape, ", "),
        each.payload.derivation ? "gathered" : fmt::format("from {}", each.offset)));
  }
  return all;
}

Lines metadata_of(const Flattened& flattened) {
  Lines all;
  for (const auto& [key, value] : flattened.flat.metadata) {
    all.push_back(key + "=" + value);
  }
  return all;
}

TEST_CASE("rows of a storage are a range of it, anything else is gathered") {
  const Flattened result = flat(dict({
      {text("w"), tensor(storage("0", 6),       {2, 3},               {3, 1})},
      {text("t"), tensor(storage("0", 6),       {3, 2},               {1, 3})},
      {text("v"), tensor(storage("0", 6),       {2},                  {1},     4)},
      {text("s"),         tensor(storage("1",                   1), {}, {})     }
  }));
  CHECK(lines(result) == Lines{"w float32 [2, 3] from 0", "t float32 [3, 2] gathered",
                               "v float32 [2] from 16", "s float32 [] from 0"});
  CHECK(metadata_of(result) == Lines{"format=pt"});
  CHECK(result.flat.tensors[1].payload.derivation->size() == 24);
}

TEST_CASE("names of one view are kept once, under the first in byte order") {
  const Fragment whole = tensor(storage("0", 2), {2}, {1});
  const Fragment half = tensor(storage("0", 2), {1}, {1});
  const Fragment empty = tensor(storage("1", 0), {0, 2}, {2, 1});
  const Fragment root = dict({
      {text("wte"),  whole},
      {text("head"), whole},
      {text("z"),    whole},
      {text("half"), half },
      {text("e"),    empty},
      {text("f"),    empty}
  });
  const Flattened aliased = flat(root);
  CHECK(lines(aliased) == Lines{"head float32 [2] from 0", "half float32 [1] from 0",
                                "e float32 [0, 2] from 0", "f float32 [0, 2] from 0"});
  CHECK(metadata_of(aliased) == Lines{"format=pt", "wte=head", "z=head"});
  CHECK(aliased.aliases == 2);
  const Flattened cloned = flat(root, {.clone_shared = true});
  CHECK(cloned.flat.tensors.size() == 6);
  CHECK(metadata_of(cloned) == Lines{"format=pt"});
}

TEST_CASE("the name that stands first is the kept one, if that is asked for") {
  const Fragment whole = tensor(storage("0", 2), {2}, {1});
  const Fragment root = dict({
      {text("z"), whole},
      {text("a"), whole}
  });
  const Flattened result = flat(root, {.keep_first = true});
  CHECK(lines(result) == Lines{"z float32 [2] from 0"});
  CHECK(metadata_of(result) == Lines{"a=z", "format=pt"});
}

TEST_CASE("a name that the metadata have a text of cannot be an alias") {
  const Fragment whole = tensor(storage("0", 2), {2}, {1});
  const Fragment root = dict({
      {text("a"),      whole},
      {text("format"), whole}
  });
  CHECK(refusal_of(root).find("'format' is 'a' under another name, and the metadata have a text of "
                              "that name: --shared clone") != std::string::npos);
  CHECK(flat(root, {.clone_shared = true}).flat.tensors.size() == 2);
  const Fragment tied = dict({
      {text("a"), whole},
      {text("z"), whole}
  });
  CHECK(refused([&] {
          flat(tied, {}, Texts(1, {"z", "q"}));
        }).find("'z' is 'a' under another name") != std::string::npos);
}

TEST_CASE("what is no tensor of the state dict is an error, or dropped") {
  const Fragment weights = dict({
      {text("w"),    scalar_tensor("0")},
      {text("note"), text("x")         }
  });
  const Fragment moments = one_entry(number(0), scalar_tensor("1"));
  const Fragment root = dict({
      {text("model"),     weights  },
      {text("epoch"),     number(3)},
      {text("optimizer"), moments  }
  });
  CHECK(
      refusal_of(root).find("'optimizer/0', 'model/note', 'epoch'; --drop-other leaves them out") !=
      std::string::npos);
  const Flattened result = flat(root, {.drop_other = true});
  CHECK(lines(result) == Lines{"w float32 [] from 0"});
  CHECK(result.dropped == Lines{"optimizer/0", "model/note", "epoch"});
}

TEST_CASE("a tensor that is no entry of the state dict itself, but lies below one, is not lost") {
  const Fragment entries =
      set_items(hooks(), {
                             {text("a/b"),          scalar_tensor("0") },
                             { text("ema"), one_entry(text("w"), scalar_tensor("1"))}
  });
  const Fragment root = build(entries, one_entry(text("extra"), scalar_tensor("2")));
  CHECK(refusal_of(root).find("'ema/w', '~state/extra'; --drop-other") != std::string::npos);
  const Flattened result = flat(root, {.drop_other = true});
  CHECK(lines(result) == Lines{"a/b float32 [] from 0"});
  CHECK(result.dropped == Lines{"ema/w", "~state/extra"});
}

TEST_CASE("a state dict under the empty key is one like any other") {
  CHECK(lines(flat(one_entry(text(""), one_entry(text("w"), scalar_tensor("0"))))) ==
        Lines{"w float32 [] from 0"});
}

TEST_CASE("versions of modules go without a word, an attribute of another name does not") {
  const Fragment state = dict({
      {text("_metadata"), one_entry(text(""), number(1))},
      {text("_metadatas"),                 number(1)                 }
  });
  const Fragment root = build(set_items(hooks(), Pairs(1, {text("w"), scalar_tensor("0")})), state);
  CHECK(flat(root, {.drop_other = true}).dropped == Lines{"~state/_metadatas"});
}

TEST_CASE("metadata that the checkpoint has stays, and what is given goes over it") {
  const Fragment own = dict({
      {text("who"),  text("me") },
      {text("when"), text("now")}
  });
  const Pairs entries(1, {text("w"), scalar_tensor("0")});
  const Fragment state = one_entry(text("__metadata__"), own);
  const Fragment root = build(set_items(hooks(), entries), state);
  const Texts given(1, {"who", "you"});
  CHECK(metadata_of(flat(root, {}, given)) == Lines{"format=pt", "when=now", "who=you"});
}

TEST_CASE("elements of a big-endian file are swapped, bytes are not") {
  const Fragment root = dict({
      {text("w"), scalar_tensor("0")},
      { text("b"), tensor(storage("1", 2, "ByteStorage"), {2}, {1})}
  });
  const Flattened result = flat(root, {.big_endian = true});
  CHECK(lines(result) == Lines{"w float32 [] gathered", "b uint8 [2] from 0"});
}

TEST_CASE("of a key that stands twice the last value counts, in the place of the first") {
  const Fragment again = tensor(storage("2", 2), {2}, {1});
  const Fragment root = dict({
      {text("w"), scalar_tensor("0")},
      {text("v"), scalar_tensor("1")},
      {text("w"), again             }
  });
  CHECK(lines(flat(root)) == Lines{"w float32 [2] from 0", "v float32 [] from 0"});
}

TEST_CASE("what plain elements cannot hold is refused by name") {
  const Fragment meta = call(rebuild("_rebuild_meta_tensor_no_storage"),
                             {global("torch", "float32"), numbers({2}), numbers({1}), no()});
  const Fragment with_meta = dict({
      {text("w"), scalar_tensor("0")},
      {text("m"), meta              }
  });
  CHECK(refusal_of(with_meta).find(
            "'m' is a meta tensor, which a format of plain elements cannot hold") !=
        std::string::npos);
  const Fragment surrogate = one_entry(text("\xed\xa0\x80"), scalar_tensor("0"));
  CHECK(refusal_of(surrogate).find("is a name that is not UTF-8") != std::string::npos);
  const Limits limits = {.view_bytes = 100};
  const Loading huge(one_entry(text("w"), tensor(storage("0", 1), {1000}, {0})), limits);
  CHECK(refused([&] {
          const checkpoint::Checkpoint& read = huge.checkpoint;
          flatten(read, read.root(), {"", read.root()}, {}, {});
        }).find("repeats its elements, and would have 4000 bytes: --limit view-bytes") !=
        std::string::npos);
}

}  // namespace
}  // namespace ptsd::operation
