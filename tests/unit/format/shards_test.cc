// SPDX-License-Identifier: Apache-2.0
#include "format/shards.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "checkpoint/listing.h"
#include "format/probe.h"
#include "format/shard_folder.h"
#include "support/refusal.h"
#include "support/zip_assembler.h"
#include "unit/checkpoint/fragments.h"
#include "unit/format/safetensors_file.h"

namespace ptsd::format {
namespace {

namespace fs = std::filesystem;
using namespace test;
using Lines = std::vector<std::string>;

// A folder of its own.
class Scratch {
 public:
  Scratch() : path_(fs::temp_directory_path() / ("ptsd-shards-" + std::to_string(::getpid()))) {
    fs::create_directory(path_);
  }
  ~Scratch() { fs::remove_all(path_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::string path() const { return path_.string(); }
  Scratch& with(const std::string& name, const std::string& text) {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return *this;
  }

 private:
  fs::path path_;
};

// One tensor of bytes for each letter: its size is that of the name.
std::string part(const std::vector<std::string>& names, std::string_view metadata = "") {
  std::string header = metadata.empty() ? "" : fmt::format("\"__metadata__\":{}", metadata);
  std::string data;
  for (const std::string& name : names) {
    if (!header.empty()) header += ",";
    header += safetensors_entry(name, "U8", fmt::format("[{}]", name.size()),
                                fmt::format("[{},{}]", data.size(), data.size() + name.size()));
    data += name;
  }
  return safetensors_file("{" + header + "}", data);
}

std::string archive(const Fragment& root) {
  return zip()
      .torch_layout()
      .member("m/data.pkl", root + ".")
      .member("m/data/0", "1234")
      .member("m/version", "3")
      .text();
}

// Each tensor as "name [shape]", every other value as its path, each warning behind "!".
Lines lines(const Loaded& loaded) {
  const checkpoint::Checkpoint& checkpoint = loaded.checkpoint();
  const checkpoint::Listing listing =
      list(checkpoint, checkpoint.root(), checkpoint::Want::Everything);
  Lines all;
  for (std::size_t i = 0; i < listing.tensors().size(); ++i) {
    const checkpoint::Entry& item = listing.tensors()[i];
    all.push_back(fmt::format(
        "{} [{}]", item.path,
        fmt::join(checkpoint.tensors().shape(checkpoint.tensors()[*item.tensor]), ",")));
  }
  for (std::size_t i = 0; i < listing.others().size(); ++i) {
    all.emplace_back(listing.others()[i].path);
  }
  for (const Warning& warning : loaded.warnings()) {
    all.push_back("! " + warning.message);
  }
  return all;
}

Lines lines_of_index(const Scratch& scratch, const std::string& name = "i.json") {
  file::Folder folder(scratch.path());
  const auto loaded = load(Input{.source = folder.open(name), .folder = &folder}, Limits{});
  return lines(*loaded);
}

Lines lines_of_folder(const Scratch& scratch) {
  file::Folder folder(scratch.path());
  return lines(*load_folder(folder, Limits{}));
}

// Without the path of the folder.
std::string relative(std::string text, const Scratch& scratch) {
  while (true) {
    const std::size_t at = text.find(scratch.path());
    if (at == std::string::npos) return text;
    text.erase(at, scratch.path().size());
  }
}

std::string refusal_of_index(const Scratch& scratch) {
  return relative(refused([&] { lines_of_index(scratch); }), scratch);
}

std::string refusal_of_folder(const Scratch& scratch) {
  return relative(refused([&] { lines_of_folder(scratch); }), scratch);
}

TEST_CASE("an index gives the entries of all parts, in the order of the files") {
  Scratch scratch;
  scratch.with("i.json", R"({"weight_map":{"a":"2","bb":"1","c":"2"}})")
      .with("1", part({"bb"}))
      .with("2", part({"c", "a"}));
  CHECK(lines_of_index(scratch) == Lines{"bb [2]", "c [1]", "a [1]"});
}

TEST_CASE("which part an entry is from is remembered, and the files are counted") {
  Scratch scratch;
  const std::string index =
      R"({"metadata":{"total_size":3,"x":[1, 2]},"weight_map":{"a":"2","bb":"1"}})";
  scratch.with("i.json", index)
      .with("1", part({"bb"}, R"({"format":"pt"})"))
      .with("2", part({"a"}));
  file::Folder folder(scratch.path());
  const auto loaded = load(Input{.source = folder.open("i.json"), .folder = &folder}, Limits{});
  const FileFacts& facts = loaded->facts();
  CHECK(facts.format == "shards");
  CHECK(facts.writer == "2 parts, safetensors");
  CHECK(facts.bytes ==
        index.size() + part({"bb"}, R"({"format":"pt"})").size() + part({"a"}).size());
  REQUIRE(facts.sharding);
  CHECK(facts.sharding->index == "i.json");
  REQUIRE(facts.sharding->parts.size() == 2);
  CHECK(facts.sharding->parts[0].file == "1");
  CHECK(facts.sharding->parts[0].metadata.size() == 1);
  CHECK(facts.sharding->part_of.at("a") == 1);
  CHECK(facts.sharding->part_of.at("bb") == 0);
  CHECK(facts.sharding->metadata[1] == std::pair<std::string, std::string>{"x", "[1, 2]"});
  const auto bytes = loaded->open_storage(checkpoint::StorageId{1});
  CHECK(as_text(bytes->read(0, bytes->size())) == "a");
}

TEST_CASE("parts of torch.save are joined, with what they hold beside tensors") {
  Scratch scratch;
  scratch.with("i.json", R"({"weight_map":{"a":"1","b":"2"}})")
      .with("1", archive(dict({
                     {text("a"), scalar_tensor("0")},
                     {text("n"), number(3)         }
  })))
      .with("2", archive(dict({{text("b"), scalar_tensor("0")}})));
  CHECK(lines_of_index(scratch) == Lines{"a []", "b []", "n"});
}

TEST_CASE("metadata of parts and index is united; the first of two values counts") {
  Scratch scratch;
  scratch
      .with("i.json", R"({"metadata":{"total_size":2,"step":"7"},"weight_map":{"a":"1","b":"2"}})")
      .with("1", part({"a"}, R"({"format":"pt","x":"1"})"))
      .with("2", part({"b"}, R"({"format":"pt","x":"2"})"));
  CHECK(lines_of_index(scratch) ==
        Lines{"a [1]", "b [1]", "~state/__metadata__/format", "~state/__metadata__/x",
              "~state/__metadata__/step",
              "! __metadata__: 'x' is '2' here and '1' in an earlier part, which is kept"});
}

TEST_CASE("a name in the metadata of the index that an entry is kept for is one more entry") {
  Scratch scratch;
  scratch.with("i.json", R"({"metadata":{"head":"a","a":"b"},"weight_map":{"a":"1","b":"1"}})")
      .with("1", part({"a", "b"}));
  CHECK(lines_of_index(scratch) == Lines{"a [1]", "b [1]", "head [1]", "~state/__metadata__/a"});
}

TEST_CASE("an entry that its part lacks is refused") {
  Scratch scratch;
  scratch.with("i.json", R"({"weight_map":{"a":"1","b":"1"}})").with("1", part({"a"}));
  CHECK(refusal_of_index(scratch) == "/i.json: 'b' is not in '1', where the index says it is");
}

TEST_CASE("a part that is missing, leads elsewhere, or is an index itself is refused") {
  Scratch scratch;
  scratch.with("i.json", R"({"weight_map":{"a":"1"}})");
  CHECK(refusal_of_index(scratch) == ": '1' is missing, which the index names");
  scratch.with("i.json", R"({"weight_map":{"a":"../1"}})");
  CHECK(refusal_of_index(scratch) == ": the name of a part leads elsewhere: '../1'");
  scratch.with("i.json", R"({"weight_map":{"a":"i.json"}})");
  CHECK(refusal_of_index(scratch) ==
        "/i.json: the index of a sharded checkpoint where its parts cannot be reached");
}

TEST_CASE("what the index says of another part, or does not name, is warned of") {
  Scratch scratch;
  scratch.with("i.json", R"({"weight_map":{"a":"1","b":"2"}})")
      .with("1", part({"a", "new"}))
      .with("2", part({"b", "a"}));
  CHECK(lines_of_index(scratch) ==
        Lines{"a [1]", "new [3]", "b [1]",
              "! 1 tensor that the index does not name; the first is 'new'",
              "! 1 entries, which the index says are in another part, are left out; the first is "
              "'a'"});
}

TEST_CASE("a name in two parts is refused unless the index says which counts") {
  Scratch scratch;
  scratch.with("i.json", R"({"weight_map":{"a":"1","b":"2"}})")
      .with("1", part({"a", "x"}))
      .with("2", part({"b", "x"}));
  CHECK(refusal_of_index(scratch) == "/2: 'x' stands in '1' too");
}

TEST_CASE("a key that stands again in a part keeps its place, with the last value") {
  Scratch scratch;
  const Fragment last = test::tensor(storage("0", 1), {1}, {1});
  scratch.with("1.bin",
               archive(dict({
                   {text("a") + put(9), number(300)},
                   {text("b"),          none()     },
                   {get(9),             last       }
  })));
  scratch.with("i.json", R"({"weight_map":{"a":"1.bin"}})");
  CHECK(
      lines_of_index(scratch) ==
      Lines{"a [1]", "b", "! keys that stand again and get their last value: 1, the first is 'a'"});
}

TEST_CASE("a total_size that is wrong is warned of") {
  Scratch scratch;
  scratch.with("1", part({"a", "bb"}));
  const auto with = [&](std::string_view size) {
    scratch.with("i.json", fmt::format(R"({{"metadata":{{"total_size":{}}},)"
                                       R"("weight_map":{{"a":"1","bb":"1"}}}})",
                                       size));
    const Lines all = lines_of_index(scratch);
    return all.size() == 2 ? "" : all.back();
  };
  CHECK(with("3") == "");
  CHECK(with("3.0") == "");
  CHECK(with("4") == "! the index says total_size '4', the tensors have 3 bytes");
  CHECK(with("[3]") == "! the index says total_size '[3]', the tensors have 3 bytes");
}

TEST_CASE("a part that is no dict is refused") {
  Scratch scratch;
  scratch.with("i.json", R"({"weight_map":{"a":"1"}})").with("1", archive(list({number(1)})));
  CHECK(refusal_of_index(scratch) ==
        "/1: a part of a sharded checkpoint that is no dict of names and tensors");
  scratch.with("1", archive(dict({
                        {number(1), scalar_tensor("0")}
  })));
  CHECK(refusal_of_index(scratch) ==
        "/1: a part of a sharded checkpoint with a key that is no text");
}

TEST_CASE("JSON that is no index is refused with its offset") {
  Scratch scratch;
  const auto refusal_of = [&](const std::string& text) {
    scratch.with("i.json", text);
    return refusal_of_index(scratch);
  };
  CHECK(refusal_of("{}") ==
        "/i.json: JSON without \"weight_map\", not the index of a sharded checkpoint");
  CHECK(refusal_of(R"({"metadata":{},"weight_map":{}})") == "/i.json: the index names no part");
  CHECK(refusal_of(R"({"weight_map":[]})") ==
        "/i.json: +0xe: weight_map: an array, an object expected");
  CHECK(refusal_of(R"({"weight_map":{"a":1}})") ==
        "/i.json: +0x13: weight_map: 'a': a number, a string expected");
  CHECK(refusal_of(R"({"weight_map":{"a":"1","\u0061":"2"}})") ==
        "/i.json: +0x17: weight_map: 'a' stands twice");
  CHECK(refusal_of(R"({"weight_map":{},"weight_map":{}})") ==
        "/i.json: +0x11: 'weight_map' stands twice");
  CHECK(refusal_of(R"({"weight_map":{})") == "/i.json: +0x10: the JSON text ends too early");
}

TEST_CASE("a directory is the checkpoint of its index") {
  Scratch scratch;
  scratch.with("model.safetensors.index.json", R"({"weight_map":{"a":"m-00001-of-00002.bin"}})")
      .with("m-00001-of-00002.bin", part({"a"}));
  CHECK(lines_of_folder(scratch) == Lines{"a [1]"});
  scratch.with("pytorch_model.bin.index.json", "{}").with("model.safetensors", "");
  CHECK(lines_of_folder(scratch) ==
        Lines{"a [1]",
              "! 'model.safetensors.index.json' is read, and 'pytorch_model.bin.index.json' is not",
              "! 'model.safetensors.index.json' is read, and 'model.safetensors' is not"});
}

TEST_CASE("parts that the index does not name are warned of") {
  Scratch scratch;
  scratch.with("model.safetensors.index.json", R"({"weight_map":{"a":"m-00001-of-00002.bin"}})")
      .with("m-00001-of-00002.bin", part({"a"}))
      .with("m-00002-of-00002.bin", part({"b"}))
      .with("n-00001-of-00002.bin", part({"c"}));
  CHECK(lines_of_folder(scratch) ==
        Lines{"a [1]", "! not read, as the index does not name them: 'm-00002-of-00002.bin'"});
}

TEST_CASE("two indexes of which none is usual are refused") {
  Scratch scratch;
  scratch.with("x.bin.index.json", "{}").with("x.safetensors.index.fp16.json", "{}");
  CHECK(refusal_of_folder(scratch) ==
        ": a directory with several indexes, 'x.bin.index.json' and "
        "'x.safetensors.index.fp16.json': name one");
}

TEST_CASE("a directory with all parts of one set is their checkpoint") {
  Scratch scratch;
  scratch.with("m-00001-of-00003.safetensors", part({"c"}))
      .with("m-00003-of-00003.safetensors", part({"b"}));
  CHECK(refusal_of_folder(scratch) ==
        ": 'm-00002-of-00003.safetensors' is missing, of the parts that "
        "'m-00001-of-00003.safetensors' is one of");
  scratch.with("m-00002-of-00003.safetensors", part({"a"}));
  CHECK(lines_of_folder(scratch) == Lines{"c [1]", "a [1]", "b [1]"});
  scratch.with("m-00002-of-00003.safetensors", part({"c"}));
  CHECK(refusal_of_folder(scratch) ==
        "/m-00002-of-00003.safetensors: 'c' stands in 'm-00001-of-00003.safetensors' too");
  scratch.with("n-1-of-1.bin", "");
  CHECK(refusal_of_folder(scratch) ==
        ": a directory with several sets of parts, of 'm-00001-of-00003.safetensors' and of "
        "'n-1-of-1.bin'");
}

TEST_CASE("the parts of one of several sets are their checkpoint, as their index has it") {
  Scratch scratch;
  scratch.with("m-1-of-2.bin", part({"a"}))
      .with("m-1-of-2.pt", part({"x"}))
      .with("n-1-of-2.bin", part({"y"}));
  const auto lines_of_set = [&](std::string_view name) {
    file::Folder folder(scratch.path());
    return lines(*load_set(folder, name, Limits{}));
  };
  const auto refusal_of_set = [&](std::string_view name) {
    return relative(refused([&] { lines_of_set(name); }), scratch);
  };
  CHECK(refusal_of_set("m-*-of-2.bin") ==
        "/m-*-of-2.bin: 'm-2-of-2.bin' is missing, of the parts that 'm-1-of-2.bin' is one of");
  CHECK(refusal_of_set("o-*-of-2.bin") == "/o-*-of-2.bin: there are no such parts");
  scratch.with("m-2-of-2.bin", part({"b"}));
  CHECK(lines_of_set("m-*-of-2.bin") == Lines{"a [1]", "b [1]"});
  scratch.with("m.bin.index.json", R"({"metadata":{"tied":"a"},)"
                                   R"("weight_map":{"a":"m-1-of-2.bin","b":"m-2-of-2.bin"}})");
  CHECK(lines_of_set("m-*-of-2.bin") == Lines{"a [1]", "b [1]", "tied [1]"});
  CHECK(refusal_of_set("m-*-of-3.bin") == "/m-*-of-3.bin: there are no such parts");
}

TEST_CASE("names of sets have a star where those of parts have a number") {
  CHECK(is_set_name("model-*-of-00002.safetensors"));
  for (const std::string_view other : {"model-1-of-2.bin", "model-*-of-*.bin", "model-*-of-2.txt",
                                       "model-**-of-2.bin", "*-of-2.bin", "model-*-of-0.bin"}) {
    CAPTURE(other);
    CHECK_FALSE(is_set_name(other));
  }
}

TEST_CASE("parts of tensors that torch.distributed.checkpoint wrote are named") {
  Scratch scratch;
  scratch.with("shard-00001-model-00001-of-00002.safetensors", part({"a"}))
      .with("shard-00002-model-00002-of-00002.safetensors", part({"a"}));
  CHECK(relative(refused([&] { lines_of_folder(scratch); }), scratch) ==
        ": shards of torch.distributed.checkpoint in the form of Hugging Face: not supported, "
        "consolidate them first");
}

TEST_CASE("texts in the metadata of parts that differ are told once, and in short") {
  Scratch scratch;
  const auto metadata = [](char c) { return fmt::format(R"({{"k":"{}"}})", std::string(100, c)); };
  scratch.with("m-1-of-3.safetensors", part({"a"}, metadata('x')))
      .with("m-2-of-3.safetensors", part({"b"}, metadata('y')))
      .with("m-3-of-3.safetensors", part({"c"}, metadata('z')));
  CHECK(lines_of_folder(scratch) ==
        Lines{"a [1]", "b [1]", "c [1]", "~state/__metadata__/k",
              fmt::format("! __metadata__: 'k' is '{}…' here and '{}…' in an earlier part, which "
                          "is kept",
                          std::string(40, 'y'), std::string(40, 'x'))});
}

TEST_CASE("a directory with a checkpoint of a usual name is that checkpoint") {
  Scratch scratch;
  scratch
      .with("pytorch_model.bin", archive(dict({
                                     {text("a"), scalar_tensor("0")}
  })))
      .with("config.json", "{}");
  CHECK(lines_of_folder(scratch) == Lines{"a []"});
  scratch.with("model.safetensors", part({"b"}));
  CHECK(lines_of_folder(scratch) ==
        Lines{"b [1]", "! 'model.safetensors' is read, and 'pytorch_model.bin' is not"});
}

TEST_CASE("names of parts are taken apart") {
  const auto split = [](std::string_view name) {
    const auto found = split_part_name(name);
    return found ? fmt::format("{} {} {} {}", found->stem, found->number, found->count,
                               found->extension)
                 : "";
  };
  CHECK(split("model-00001-of-00002.safetensors") == "model 00001 00002 .safetensors");
  CHECK(split("model.fp16-2-of-2.bin") == "model.fp16 2 2 .bin");
  CHECK(split("-1-of-1.pt") == " 1 1 .pt");
  for (const std::string_view none :
       {"model.bin", "model-1-of-2", "model-1-of-2.json", "model-0-of-2.bin", "model-3-of-2.bin",
        "model-01-of-2.bin", "model-x-of-2.bin", "model--of-.bin", "1-of-1.bin", "-of-.bin",
        "model-0000000001-of-0000000001.bin"}) {
    CHECK(split(none) == "");
  }
}

}  // namespace
}  // namespace ptsd::format
