// SPDX-License-Identifier: Apache-2.0
#include "format/dcp.h"

#include "format/probe.h"
#include "support/refusal.h"
#include "support/zip_assembler.h"
#include "temporary_folder.h"
#include "unit/checkpoint/loading.h"

namespace ptsd::format {
namespace {

using namespace test;
using test::list;
using test::pickle;
using test::tensor;
using Lines = std::vector<std::string>;
using Ints = std::vector<std::int64_t>;

Fragment stored(std::string_view cls, const Pairs& state) {
  return build(global("torch.distributed.checkpoint.metadata", cls) +
                   fragment(pickle().empty_tuple().newobj()),
               dict(state));
}

Fragment size(const Ints& numbers_in_it) {
  return call(global("torch", "Size"), {numbers(numbers_in_it)});
}

Fragment properties(std::string_view dtype) {
  return build(global("torch.distributed.checkpoint.metadata", "TensorProperties") +
                   fragment(pickle().empty_tuple().newobj()),
               tuple({global("torch", dtype), none(), no(), none(), no()}));
}

Fragment chunk(const Ints& offsets, const Ints& sizes) {
  return stored("ChunkStorageMetadata",
                {
                    {text("offsets"), size(offsets)},
                    {text("sizes"),   size(sizes)  }
  });
}

Fragment tensor_entry(std::string_view dtype, const Ints& shape, const Fragments& chunks) {
  return stored("TensorStorageMetadata", {
                                             {text("properties"), properties(dtype)},
                                             {text("size"),       size(shape)      },
                                             {text("chunks"),     list(chunks)     }
  });
}

Fragment bytes_entry() {
  return global("torch.distributed.checkpoint.metadata", "BytesStorageMetadata") +
         fragment(pickle().empty_tuple().newobj());
}

Fragment index(std::string_view name) {
  return stored("MetadataIndex", {
                                     {text("fqn"), text(name)}
  });
}

Fragment index(std::string_view name, const Ints& offsets) {
  return stored(
      "MetadataIndex",
      {
          {text("fqn"),    text(name)   },
          {text("index"),  none()       },
          {text("offset"), size(offsets)}
  });
}

Fragment item(std::string_view path, std::size_t offset, std::size_t length,
              const Pairs& more = {}) {
  Pairs state = {
      {text("relative_path"), text(path)                               },
      {text("offset"),        number(static_cast<std::int64_t>(offset))},
      {text("length"),        number(static_cast<std::int64_t>(length))}
  };
  state.insert(state.end(), more.begin(), more.end());
  return build(global("torch.distributed.checkpoint.filesystem", "_StorageInfo") +
                   fragment(pickle().empty_tuple().newobj()),
               dict(state));
}

std::string metadata(const Pairs& entries, const Pairs& items,
                     const Fragment& planner_data = none()) {
  return stored("Metadata",
                {
                    {text("state_dict_metadata"), dict(entries)},
                    {text("planner_data"),        planner_data },
                    {text("storage_data"),        dict(items)  }
  }) +
         ".";
}

// An archive of torch.save.
std::string saved(const Fragment& root, std::string_view bytes = "") {
  ZipAssembler archive = zip();
  archive.torch_layout()
      .member("archive/data.pkl", root + ".")
      .member("archive/byteorder", "little");
  if (!bytes.empty()) archive.member("archive/data/0", bytes);
  return archive.member("archive/version", "3\n").text();
}

// A tensor of bytes.
std::string saved_tensor(const Ints& shape, const Ints& stride, std::string_view bytes) {
  const auto count = static_cast<std::int64_t>(bytes.size());
  return saved(tensor(storage("0", count, "ByteStorage"), shape, stride), bytes);
}

std::string refusal(const TemporaryFolder& here) {
  file::Folder folder(here.path());
  std::string message = refused([&] { load_folder(folder, Limits{}); });
  if (message.starts_with(here.path())) message.erase(0, here.path().size());
  return message;
}

std::string bytes_of(const Loaded& loaded, std::size_t storage) {
  const auto source =
      loaded.open_storage(checkpoint::StorageId{static_cast<std::uint32_t>(storage)});
  return std::string(as_text(source->read(0, source->size())));
}

// One tensor of 2 rows and 4 columns, in a chunk of two columns and two of one row.
struct Columns {
  Columns() {
    const Ints offset = {0, 0};
    parts = {saved_tensor({2, 2}, {1, 2}, "aebf"), saved_tensor({1, 2}, {2, 1}, "cd"),
             saved_tensor({1, 2}, {2, 1}, "gh")};
    here.write("__0_0.distcp", parts[0] + parts[1]);
    here.write("__1_0.distcp", "junk" + parts[2]);
    entries = {
        {text("w"),
         tensor_entry("uint8", {2, 4},
         {chunk({0, 0}, {2, 2}), chunk({0, 2}, {1, 2}), chunk({1, 2}, {1, 2})})}
    };
    items = {
        {index("w", {0, 0}), item("__0_0.distcp", 0,               parts[0].size())},
        {index("w", {0, 2}), item("__0_0.distcp", parts[0].size(), parts[1].size())},
        {index("w", {1, 2}), item("__1_0.distcp", 4,               parts[2].size())}
    };
  }

  std::string refused() {
    here.write(".metadata", metadata(entries, items));
    return refusal(here);
  }

  TemporaryFolder here;
  std::vector<std::string> parts;
  Pairs entries;
  Pairs items;
};

TEST_CASE("a tensor is put together of the chunks of several files, whatever their strides") {
  Columns columns;
  columns.here.write(".metadata", metadata(columns.entries, columns.items));
  file::Folder folder(columns.here.path());
  const auto loaded = load_folder(folder, Limits{});
  CHECK(bytes_of(*loaded, 0) == "abcdefgh");
  CHECK(loaded->facts().format == "dcp");
  CHECK(loaded->facts().writer == "torch.distributed.checkpoint, 2 files");
  CHECK(!loaded->facts().has_pickle);
  CHECK(checkpoint::entries(loaded->checkpoint()) == Lines{"w: tensor uint8 [2, 4] stride [4, 1]"});
}

TEST_CASE("values lie where planner_data says, or under their names") {
  TemporaryFolder here;
  const std::string value = saved(list({text("x"), number(7)}));
  const std::string one = saved_tensor({}, {}, "1");
  here.write("f", value + one + value);
  here.write(".metadata", metadata(
                              {
                                  {text("a.0.b"),     bytes_entry()       },
                                  {text("a.1"),       tensor_entry("uint8", {}, {chunk({}, {})})},
                                  {text("c.d"), bytes_entry()                    }
  },
                              {{index("a.0.b"), item("f", 0, value.size())},
                               {index("a.1", {}), item("f", value.size(), one.size())},
                               {index("c.d"), item("f", value.size() + one.size(), value.size())}},
                              dict({{text("a.0.b"), tuple({text("a"), number(0), text("b")})},
                                    {text("a.1"), tuple({text("a"), number(1)})}})));
  file::Folder folder(here.path());
  const auto loaded = load_folder(folder, Limits{});
  CHECK(checkpoint::entries(loaded->checkpoint()) ==
        Lines{"a/1: tensor uint8 []", "a/0/b/0: str", "a/0/b/1: int", "c.d/0: str", "c.d/1: int"});
  CHECK(bytes_of(*loaded, 0) == "1");
}

TEST_CASE("an item that is missing, elsewhere or too short is told") {
  Columns columns;
  const Pairs sound = columns.items;
  columns.items.pop_back();
  CHECK(columns.refused() ==
        "/.metadata: +0x92: 'state_dict_metadata/w': storage_data has no item of 'w'");
  columns.items = sound;
  columns.items[2].second = item("../f", 0, 1);
  CHECK(columns.refused() == ": the name of a part leads elsewhere: '../f'");
  columns.items[2].second = item("__7_0.distcp", 0, 1);
  CHECK(columns.refused() == ": '__7_0.distcp' is missing, which .metadata names");
  columns.items[2].second = item("__1_0.distcp", 5, columns.parts[2].size());
  CHECK(columns.refused() == ": 'w': 938 bytes at 0x5 of '__1_0.distcp', which has 942");
  columns.items[2].second = item("__1_0.distcp", 4, 1);
  CHECK(columns.refused() == ": 'w': an item of 1 bytes for a chunk of 2");
  columns.items[2].second = item("__0_0.distcp", 1, columns.parts[0].size() - 1);
  CHECK(columns.refused() == ": 'w': its item at 0x1 of '__0_0.distcp' overlaps that of 'w'");
  columns.items[2] = columns.items[1];
  CHECK(columns.refused() == "/.metadata: +0x58b: two items of 'w'");
}

TEST_CASE("a name is the same text, whichever node says it") {
  Columns columns;
  const Fragment shared =
      stored("MetadataIndex", {
                                  {text("fqn"),    get(9)      },
                                  {text("offset"), size({1, 2})}
  });
  columns.entries[0].first += put(9);
  columns.items[2].first = shared;
  columns.here.write(".metadata", metadata(columns.entries, columns.items));
  file::Folder folder(columns.here.path());
  CHECK(bytes_of(*load_folder(folder, Limits{}), 0) == "abcdefgh");
}

TEST_CASE("names and paths end at a limit, however often the memo shares them") {
  TemporaryFolder here;
  const std::string value = saved(none());
  here.write("f", value);
  const auto refused_with = [&](std::size_t parts, const Limits& limits) {
    Fragments path = {text(std::string(1000, 'p')) + put(9)};
    path.resize(parts, get(9));
    here.write(".metadata",
               metadata(
                   {
                       {text("a"), bytes_entry()}
    },
                   {{index("a"), item("f", 0, value.size())}}, dict({{text("a"), tuple(path)}})));
    file::Folder folder(here.path());
    return refused([&] { load_folder(folder, limits); });
  };
  Limits limits;
  limits.entries = 100;
  CHECK(refused_with(5, limits).empty());
  CHECK(refused_with(20, limits)
            .ends_with(": paths of more than 100 times 128 bytes (--limit entries=N)"));
  limits.depth = 10;
  CHECK(refused_with(20, limits).ends_with(": a path of 20 parts (--limit depth=N)"));
}

TEST_CASE("the metadata of ranks that were written apart is put together") {
  Columns columns;
  const auto write_ranks = [&](const Fragment& other) {
    const Fragment first = tensor_entry("uint8", {2, 4}, {chunk({0, 0}, {2, 2})});
    const Fragment second =
        tensor_entry("uint8", {2, 4}, {chunk({0, 2}, {1, 2}), chunk({0, 0}, {2, 2})});
    columns.here.write("__0.metadata", metadata(
                                           {
                                               {text("w"), first}
    },
                                           {columns.items[0]}));
    columns.here.write("__2.metadata", metadata(
                                           {
                                               {text("w"), second}
    },
                                           {columns.items[0], columns.items[1]}));
    columns.here.write("__10.metadata", metadata(
                                            {
                                                {text("w"), other}
    },
                                            {columns.items[2]}));
  };
  write_ranks(tensor_entry("uint8", {2, 4}, {chunk({1, 2}, {1, 2})}));
  columns.here.write("__3_0.distcp", "");
  file::Folder folder(columns.here.path());
  const auto loaded = load_folder(folder, Limits{});
  CHECK(bytes_of(*loaded, 0) == "abcdefgh");
  CHECK(loaded->facts().writer == "torch.distributed.checkpoint, 2 files");
  CHECK(checkpoint::texts(loaded->warnings()) ==
        Lines{columns.here.path() +
                  ": 1 chunks and values are in several of 3 ranks, and taken of the first that "
                  "has them",
              columns.here.path() + ": the metadata names 2 of 3 .distcp files"});
  write_ranks(tensor_entry("int8", {2, 4}, {chunk({1, 2}, {1, 2})}));
  CHECK(refusal(columns.here) == "/__10.metadata: 'w' is another thing than in an earlier rank");
  write_ranks(tensor_entry("uint8", {2, 4}, {}));
  CHECK(refusal(columns.here) == ": 'w': the chunks hold 6 of 8 elements");
}

TEST_CASE("what cannot be read of a chunk is told, and not left out") {
  Columns columns;
  const Fragment zstd = list({text("stream.zstd/1")});
  columns.items[1].second = item("__0_0.distcp", columns.parts[0].size(), columns.parts[1].size(),
                                 {
                                     {text("transform_descriptors"), zstd}
  });
  CHECK(columns.refused() ==
        "/.metadata: +0x92: 'state_dict_metadata/w': 'w' is stored as 'stream.zstd/1', which is "
        "not supported");
}

TEST_CASE("a chunk that is not as .metadata declares it is told when it is read") {
  Columns columns;
  const std::string flat = saved_tensor({2}, {1}, "cd");
  const std::string shown = saved_tensor({1, 2}, {2, 0}, "c");
  const std::string value = saved(text("no tensor"));
  std::string messages;
  for (const std::string& part : {flat, shown, value, std::string("no archive")}) {
    columns.here.write("other", part);
    columns.items[1].second = item("other", 0, part.size());
    columns.here.write(".metadata", metadata(columns.entries, columns.items));
    file::Folder folder(columns.here.path());
    const auto loaded = load_folder(folder, Limits{});
    messages += refused([&] { bytes_of(*loaded, 0); }).substr(columns.here.path().size()) + "\n";
  }
  CHECK(messages ==
        "/other: +0x0: a chunk of 'w' holds uint8 [2], .metadata declares uint8 [1, 2]\n"
        "/other: +0x0: a chunk of 'w' shows elements of its storage more than once\n"
        "/other: +0x0: a chunk of 'w' is no tensor\n"
        "/other: +0x0: a chunk of 'w' is no archive of torch.save\n");
}

TEST_CASE("a directory without .metadata is told apart from one of another kind") {
  TemporaryFolder here;
  CHECK(refusal(here) ==
        ": not a checkpoint: a directory without .metadata, an index of parts, a set of parts, "
        "model.safetensors or pytorch_model.bin");
  here.write("__0_0.distcp", "");
  CHECK(refusal(here) == ": an incomplete torch.distributed.checkpoint: no .metadata");
  here.write("__0.metadata", "\x80\x02N.");
  CHECK(refusal(here) == "/__0.metadata: not pickled by torch.distributed.checkpoint: no Metadata");
  here.write(".metadata", "\x80\x02N.");
  CHECK(refusal(here) == "/.metadata: not pickled by torch.distributed.checkpoint: no Metadata");
}

}  // namespace
}  // namespace ptsd::format
