// SPDX-License-Identifier: Apache-2.0
#include "format/torchscript.h"

#include "format/probe.h"
#include "support/refusal.h"
#include "support/zip_assembler.h"
#include "unit/checkpoint/loading.h"

namespace ptsd::format {
namespace {

using namespace test;
using checkpoint::Lines;
using test::list;
using test::pickle;
using test::tensor;

Fragment module(std::string_view cls, const Pairs& attributes) {
  return build(global("__torch__", cls) + fragment(pickle().empty_tuple().newobj()),
               dict(attributes));
}

Fragment weight(std::string_view key, bool requires_grad = false) {
  return call(rebuild("_rebuild_tensor_v2"), {storage(key, 2), number(0), numbers({2}),
                                              numbers({1}), requires_grad ? yes() : no(), hooks()});
}

ZipAssembler archive(const Fragment& root, std::string_view code,
                     const Fragment& constants = tuple({})) {
  return zip()
      .torch_layout()
      .member("m/data/0", "ABCDEFGH")
      .member("m/data/1", "abcdefgh")
      .member("m/data.pkl", root + ".")
      .member("m/code/__torch__.py", code)
      .member("m/constants/0", "01234567")
      .member("m/constants.pkl", constants + ".")
      .member("m/version", "3\n");
}

Lines lines(const ZipAssembler& assembler, const Limits& limits = {}) {
  const MemorySource source = assembler.source();
  return checkpoint::entries(load(source, limits)->checkpoint());
}

std::string refusal(const ZipAssembler& assembler, const Limits& limits = {}) {
  return refused([&] { lines(assembler, limits); });
}

constexpr std::string_view kCode =
    "class M(Module):\n"
    "  __parameters__ = [\"w\", \"v\", ]\n"
    "  __buffers__ = [\"b\", ]\n"
    "  w : Tensor\n"
    "  def forward(self) -> int:\n"
    "    return 1\n"
    "class Other:\n"
    "  x : int\n"
    "class Leaf(Module):\n"
    "  __parameters__ = [\"w\", ]\n"
    "  __buffers__ = []\n";

TEST_CASE("the tensors of a module come in the order of its state dict, other ones beside it") {
  const Fragment leaf =
      module("Leaf", {
                         {text("extra"), weight("1")},
                         { text("w"),   weight("1",       true)}
  });
  const Fragment root = module("M", {
                                        {text("a"),    weight("0")  },
                                        {text("b"),    weight("1")  },
                                        {text("leaf"), leaf + put(9)},
                                        {text("w"),    weight("0",    true)},
                                        {text("same"),            get(9)             },
                                        {text("none"),            none()},
                                        {text("v"),            none()                }
  });
  CHECK(lines(archive(root, kCode)) ==
        Lines{"w: tensor float32 [2] stride [1] grad", "b: tensor float32 [2] stride [1]",
              "leaf.w: tensor float32 [2] stride [1] grad",
              "same.w: tensor float32 [2] stride [1] grad",
              "~state/_torchscript/attributes/a: tensor float32 [2] stride [1]",
              "~state/_torchscript/attributes/leaf.extra: tensor float32 [2] stride [1]",
              "~state/_torchscript/attributes/same.extra: tensor float32 [2] stride [1]",
              "~state/_torchscript/attributes/none: NoneType",
              "~state/_torchscript/attributes/v: NoneType"});
}

TEST_CASE("storages are those of the folder beside the pickle") {
  const Fragment constants = tuple({weight("0")});
  const MemorySource source = archive(module("M",
                                             {
                                                 {text("w"), weight("0")}
  }),
                                      kCode, constants)
                                  .source();
  const auto loaded = load(source, Limits{});
  CHECK(checkpoint::entries(loaded->checkpoint()) ==
        Lines{"w: tensor float32 [2] stride [1]",
              "~state/_torchscript/constants/0: tensor float32 [2] stride [1]"});
  std::string bytes;
  for (const std::uint32_t id : {0u, 1u}) {
    const auto storage = loaded->open_storage(checkpoint::StorageId{id});
    bytes += as_text(storage->read(0, storage->size()));
    CHECK(loaded->range(checkpoint::StorageId{id})->size == 8);
  }
  CHECK(bytes == "ABCDEFGH01234567");
  CHECK(loaded->facts().format == "torchscript");
  CHECK(loaded->facts().writer == "torch.jit, version 3");
}

TEST_CASE("the dialect of the C++ pickler becomes that of Python") {
  const auto tagged = [](const Fragment& value, std::string_view tag) {
    return call(global("torch.jit._pickle", "restore_type_tag"), {value, text(tag)});
  };
  const Fragment inner = tagged(list({number(7)}), "List[int]");
  const Fragment eight =
      call(rebuild("_rebuild_tensor_v2"), {storage("0", 8, "Float8_e5m2Storage"), number(2),
                                           numbers({3}), numbers({2}), no(), hooks()});
  const Fragment sparse =
      call(rebuild("_rebuild_sparse_tensor"),
           {number(1), numbers({4}), yes(), tensor(storage("1", 1, "LongStorage"), {1, 1}, {1, 1}),
            tensor(storage("1", 1, "LongStorage"), {1}, {1}), hooks()});
  const Fragment root = module(
      "M",
      {
          {text("dict"),    tagged(dict({{text("k"), inner}}), "Dict[str, List[int]]")},
          {text("ints"),    call(global("torch.jit._pickle",   "build_intlist"),        {list({number(1)})})},
          {text("b"),               eight                                       },
          {text("w"),       sparse                           },
          {text("object"), module("Other",         {{text("x"), number(1)}})                                           }
  });
  CHECK(
      lines(archive(root, kCode)) ==
      Lines{
          "w: sparse int64 [4] grad torch.sparse_coo (indices: tensor int64 [1, 1] stride [1, 1]) "
          "(values: tensor int64 [1] stride [1])",
          "b: tensor float8_e5m2 [3] stride [2] offset 2",
          "~state/_torchscript/attributes/dict/k/0: int",
          "~state/_torchscript/attributes/ints/0: int",
          "~state/_torchscript/attributes/object/x: int"});
}

TEST_CASE("without code a module is told by its attributes") {
  const Fragment root = module("Unknown", {
                                              {text("training"), yes()      },
                                              {text("x"),        weight("0")}
  });
  CHECK(lines(archive(root, "")) ==
        Lines{"x: tensor float32 [2] stride [1]", "~state/_torchscript/attributes/training: bool"});
  // Not a module: kept as it is.
  CHECK(lines(archive(dict({
                          {text("x"), weight("0")}
  }),
                      "")) ==
        Lines{"~state/_torchscript/attributes//x: tensor float32 [2] stride [1]"});
}

TEST_CASE("the lite interpreter's archives are the same and more") {
  const MemorySource source = archive(module("M",
                                             {
                                                 {text("w"), weight("0")}
  }),
                                      kCode)
                                  .member("m/bytecode.pkl", "x")
                                  .source();
  CHECK(load(source, Limits{})->facts().format == "torchscript-lite");
}

TEST_CASE("storages that are not there, or not as declared, are refused") {
  const auto refused_with = [](const Fragment& value) {
    return refusal(archive(module("M",
                                  {
                                      {text("w"), value}
    }),
                           kCode));
  };
  CHECK(refused_with(weight("7")) == "m.pt: m/data.pkl+0x73: there is no record 'data/7'");
  CHECK(refused_with(tensor(storage("0", 3), {3}, {1})) ==
        "m.pt: m/data.pkl+0x73: record 'data/0' holds 8 bytes, the pickle declares 12");
  CHECK(refused_with(tensor(storage("0", 2, "StrangeStorage"), {2}, {1})) ==
        "m.pt: m/data.pkl+0x75: storage class 'StrangeStorage', expected one of torch's");
  CHECK(refused_with(persistent(text("0"))) ==
        "m.pt: m/data.pkl+0x1d: persistent id has 0 parts, expected 5");
  CHECK(refused_with(call(rebuild("_rebuild_sparse_tensor"), {number(9), none()})) ==
        "m.pt: m/data.pkl+0x49: a sparse tensor of layout 9");
  CHECK(refused_with(call(rebuild("_rebuild_sparse_tensor"), {number(2), none()})) ==
        "m.pt: m/data.pkl+0x49: a sparse tensor of 2 parts, expected 7");
  CHECK(refusal(archive(module("M",
                               {
                                   {text("w"), weight("0")},
                                   {text("w"), weight("0")}
  }),
                        kCode)) == "m.pt: m/data.pkl+0xb5: two attributes are called 'w'");
  CHECK(refusal(archive(module("M",
                               {
                                   {number(1), weight("0")}
  }),
                        kCode)) == "m.pt: m/data.pkl+0x11: the name of an attribute is no str");
  CHECK(refusal(archive(none(), "").member("m/byteorder", "big")) ==
        "m.pt: m/byteorder: byte order is 'big', expected 'little'");
}

TEST_CASE("modules in modules end at a limit") {
  // Each has the one before it twice: a million names in a few hundred bytes.
  Fragment root = module("Leaf", {
                                     {text("w"), weight("0")}
  });
  for (std::uint32_t i = 0; i < 40; ++i) {
    root = module("M", {
                           {text("a"), root + put(i)},
                           {text("b"), get(i)       }
    });
  }
  Limits limits;
  limits.entries = 1000;
  CHECK(refusal(archive(root, kCode), limits) ==
        "m.pt: m/data.pkl+0x3ac: more than 1000 attributes (--limit entries=N)");
  limits.depth = 3;
  CHECK(refusal(archive(root, kCode), limits) ==
        "m.pt: m/data.pkl+0x6a: modules nested too deep (--limit depth=N)");
  // In itself.
  const Fragment cycle =
      build(global("__torch__", "M") + fragment(pickle().empty_tuple().newobj()) + put(1),
            dict({
                {text("a"), get(1)}
  }));
  CHECK(refusal(archive(cycle, kCode), limits) ==
        "m.pt: m/data.pkl+0xe: modules nested too deep (--limit depth=N)");
}

TEST_CASE("a name that modules share counts wherever it is spelled") {
  Fragment root = module("Leaf", {
                                     {get(9), weight("0")}
  });
  for (int i = 0; i < 20; ++i) {
    const Fragment name = i == 19 ? text(std::string(1000, 'n')) + put(9) : get(9);
    root = module("M", {
                           {name, root}
    });
  }
  Limits limits;
  limits.entries = 2000;
  CHECK(lines(archive(root, kCode), limits).size() == 1);
  limits.entries = 1000;
  CHECK(refusal(archive(root, kCode), limits)
            .ends_with(": paths of more than 1000 times 128 bytes (--limit entries=N)"));
}

TEST_CASE("storages at one place share its name") {
  const MemorySource source =
      archive(module("M",
                     {
                         {text("w"), weight("0")},
                         {text("b"), weight("1")}
  }),
              kCode)
          .source();
  const auto loaded = load(source, Limits{});
  const checkpoint::Tensors& tensors = loaded->checkpoint().tensors();
  REQUIRE(tensors.storage_count() == 2);
  CHECK(tensors[checkpoint::StorageId{0}].location == tensors[checkpoint::StorageId{1}].location);
}

TEST_CASE("what is left over or missing in an archive is warned of") {
  const Fragment root = module("M", {
                                        {text("w"), weight("0")}
  });
  const auto warnings = [](const ZipAssembler& assembler) {
    const MemorySource source = assembler.source();
    return checkpoint::texts(load(source, Limits{})->warnings());
  };
  CHECK(warnings(zip()
                     .torch_layout()
                     .member("m/data/0", "ABCDEFGH")
                     .member("m/data.pkl", root + ".abc")
                     .member("m/constants.pkl", tuple({}) + ".")) ==
        Lines{"m.pt: no record 'version': torch.load refuses the file",
              fmt::format("m.pt: m/data.pkl+{:#x}: 3 bytes after the end of the pickle",
                          root.size() + 1)});
  const ZipAssembler more = archive(root, kCode);
  CHECK(warnings(more) ==
        Lines{"m.pt: m/data/: no tensor uses 1 of the storage records (8 bytes)",
              "m.pt: m/constants/: no tensor uses 1 of the storage records (8 bytes)"});
  CHECK(warnings(archive(root, kCode, tuple({weight("0")})).member("m/bytecode.pkl", "")) ==
        Lines{"m.pt: m/data/: no tensor uses 1 of the storage records (8 bytes)"});
}

}  // namespace
}  // namespace ptsd::format
