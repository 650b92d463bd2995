// SPDX-License-Identifier: Apache-2.0
#include "format/torch_tar.h"

#include "format/probe.h"
#include "support/refusal.h"
#include "support/tar_assembler.h"
#include "unit/checkpoint/loading.h"
#include "unit/format/legacy_stream.h"

namespace ptsd::format {
namespace {

using namespace test;
using test::list;
using test::pickle;
using Lines = std::vector<std::string>;

std::string pickled(const Fragment& root) {
  return LegacyStream::pickled(root);
}

std::string u64(std::uint64_t value) {
  return LegacyStream::u64(value);
}

Fragment named(std::string_view key) {
  return persistent(text(key));
}

Fragment float_storage() {
  return storage_class("FloatStorage");
}

// A tensor as the member has it.
std::string described(const Fragment& entry, const std::vector<std::int64_t>& size,
                      const std::vector<std::int64_t>& stride, std::int64_t offset = 0) {
  std::string bytes = pickled(entry) + u64(size.size() | 0xABADCAFE00000000).substr(0, 8);
  for (const std::int64_t value : size) {
    bytes += u64(static_cast<std::uint64_t>(value));
  }
  for (const std::int64_t value : stride) {
    bytes += u64(static_cast<std::uint64_t>(value));
  }
  return bytes + u64(static_cast<std::uint64_t>(offset));
}

struct Archive {
  Fragment facts = dict({
      {text("protocol_version"), number(1000)}
  });
  std::string storages = pickled(number(1)) +
                         pickled(tuple({number(7), text("cpu"), float_storage()})) + u64(3) +
                         "aaaabbbbcccc" + pickled(list({numbers({8, 7, 1, 2})}));
  std::string tensors =
      pickled(number(2)) +
      described(tuple({number(1), number(7), global("torch", "FloatTensor")}), {3}, {1}) +
      described(tuple({number(2), number(8), global("torch.cuda", "FloatTensor")}), {}, {}, 1);
  std::string object = pickled(list({named("1"), named("2"), named("1")}));

  std::string bytes() const {
    return tar_member("sys_info", pickled(facts)) + tar_member("pickle", object) +
           tar_member("tensors", tensors) + tar_member("storages", storages) + tar_end();
  }
};

std::string refusal(const std::string& bytes) {
  const MemorySource source("f", {as_bytes(bytes).begin(), as_bytes(bytes).end()});
  return refused([&] { load(source, Limits{}); });
}

bool refused_with(const Archive& archive, std::string_view end) {
  const std::string message = refusal(archive.bytes());
  CHECK_MESSAGE(message.ends_with(end), message);
  return message.ends_with(end);
}

TEST_CASE("tensors, storages and the object lie in members of their own") {
  const std::string bytes = Archive().bytes();
  const MemorySource source("f", {as_bytes(bytes).begin(), as_bytes(bytes).end()});
  const auto loaded = load(source, Limits{});
  CHECK(loaded->facts().format == "torch-tar");
  CHECK(checkpoint::entries(loaded->checkpoint()) == Lines{"0: tensor float32 [3] stride [1]",
                                                           "1: tensor float32 [] offset 1",
                                                           "2: tensor float32 [3] stride [1]"});
  CHECK(loaded->checkpoint().tensors().storage_count() == 2);
  const auto view = loaded->open_storage(checkpoint::StorageId{1})->read(0, 8);
  CHECK(as_text(view) == "bbbbcccc");
  const auto warnings = checkpoint::texts(loaded->warnings());
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].ends_with(
      ": storages that share bytes with others, until they are written anew: 1, the first is '8', "
      "a view of '7'"));
}

TEST_CASE("a view of a storage that nothing else uses shares no bytes") {
  Archive archive;
  archive.tensors =
      pickled(number(1)) +
      described(tuple({number(2), number(8), global("torch.cuda", "FloatTensor")}), {}, {}, 1);
  archive.object = pickled(named("2"));
  const std::string bytes = archive.bytes();
  const MemorySource source("f", {as_bytes(bytes).begin(), as_bytes(bytes).end()});
  CHECK(load(source, Limits{})->warnings().empty());
}

TEST_CASE("the oldest form has no locations and no views") {
  Archive archive;
  archive.storages =
      pickled(number(1)) + pickled(tuple({number(7), float_storage()})) + u64(1) + "aaaa";
  archive.tensors =
      pickled(number(1)) +
      described(tuple({number(1), global("torch", "FloatTensor"), number(7)}), {1}, {1});
  archive.object = pickled(named("1"));
  CHECK(refusal(archive.bytes()) == "");
}

TEST_CASE("classes with their sources, storages and empty tensors can be named") {
  Archive archive;
  archive.tensors += "";
  archive.object =
      pickled(list({persistent(tuple({global("m", "C"), none(), none()})), named("7")}));
  CHECK(refusal(archive.bytes()) == "");
  archive.tensors = pickled(number(1)) +
                    described(tuple({number(1), none(), global("torch", "FloatTensor")}), {}, {});
  archive.object = pickled(named("1"));
  CHECK(refusal(archive.bytes()) == "");
}

TEST_CASE("what contradicts itself is refused, and named") {
  Archive archive;
  archive.object = pickled(named("3"));
  CHECK(refused_with(archive, "there is no tensor or storage '3'"));
  archive.object = pickled(persistent(none()));
  CHECK(refused_with(archive, "a persistent id is neither digits nor (class, file, source)"));
  archive.object = pickled(persistent(tuple({none()})));
  CHECK(refused_with(archive, "a persistent id is not (class, file, source)"));

  const auto with_tensor = [](const std::vector<std::int64_t>& size,
                              const std::vector<std::int64_t>& stride, std::int64_t storage = 7,
                              std::string_view type = "FloatTensor") {
    Archive made;
    made.tensors =
        pickled(number(1)) +
        described(tuple({number(1), number(storage), global("torch", type)}), size, stride);
    return made;
  };
  CHECK(refused_with(with_tensor({4}, {1}), "tensor 1 reaches behind the 3 elements of storage 7"));
  CHECK(refused_with(with_tensor({-1}, {1}), "tensor 1: a size is -1"));
  CHECK(refused_with(with_tensor({1}, {-1}), "tensor 1: a stride is -1"));
  CHECK(refused_with(with_tensor({1}, {1}, 9), "tensor 1: there is no storage 9"));
  CHECK(refused_with(with_tensor({1}, {1}, 7, "Thing"), "tensor 1: its class is none of torch's"));

  const auto with_views = [](const Fragment& views) {
    Archive made;
    made.storages = pickled(number(1)) + pickled(tuple({number(7), text("cpu"), float_storage()})) +
                    u64(1) + "aaaa" + pickled(views);
    return made;
  };
  CHECK(refused_with(with_views(list({numbers({8, 7, 0, 2})})),
                     "storage 8 is no part of a storage that is here"));
  CHECK(refused_with(with_views(list({numbers({7, 7, 0, 1})})), "storage 7 is there twice"));
  CHECK(refused_with(with_views(list({none()})), "a view is not (key, root key, offset, numel)"));
  CHECK(refused_with(with_views(none()), "the views are None, expected a list"));
}

TEST_CASE("members that are cut or run something are refused") {
  Archive archive;
  archive.storages = pickled(number(2)) + archive.storages.substr(pickled(number(1)).size());
  CHECK(refusal(archive.bytes()) != "");
  archive = {};
  archive.storages.resize(archive.storages.size() - pickled(list({numbers({8, 7, 1, 2})})).size() -
                          1);
  CHECK(refused_with(archive, "storage 7: 12 bytes, the member has 11 more"));
  archive = {};
  archive.storages = pickled(call(global("os", "system"), {text("x")}));
  CHECK(refused_with(archive, "in the pickle of storages, expected plain data"));
  archive = {};
  archive.facts = dict({});
  CHECK(refused_with(archive, "sys_info is no dict whose protocol_version is 1000"));
}

TEST_CASE("more dimensions than the limit are no fault of the file") {
  const std::string bytes = Archive().bytes();
  const MemorySource source("f", {as_bytes(bytes).begin(), as_bytes(bytes).end()});
  Limits limits;
  limits.dimensions = 0;
  Error::Kind kind = Error::Kind::Io;
  try {
    load(source, limits);
  } catch (const Error& error) {
    kind = error.kind();
  }
  CHECK(kind == Error::Kind::Limit);
}

TEST_CASE("counts and keys that are none are refused") {
  const std::string storage = pickled(tuple({number(7), text("cpu"), float_storage()}));
  for (const std::int64_t count : {std::int64_t{-1}, std::int64_t{1} << 62}) {
    CAPTURE(count);
    Archive archive;
    archive.storages = pickled(number(count)) + storage + u64(3) + "aaaabbbbcccc";
    CHECK(refusal(archive.bytes()) != "");
    archive = {};
    archive.tensors = pickled(number(count));
    CHECK(refusal(archive.bytes()) != "");
    archive = {};
    archive.storages = pickled(number(1)) + storage + u64(static_cast<std::uint64_t>(count));
    CHECK(refusal(archive.bytes()) != "");
  }
  Archive archive;
  archive.storages = pickled(number(-1));
  CHECK(refused_with(archive, "the number of storages is -1"));
  archive.storages = pickled(number(1)) + storage + u64(static_cast<std::uint64_t>(-3));
  CHECK(refused_with(archive, "storage 7: the number of elements is -3"));
  archive.storages = pickled(number(1)) + pickled(tuple({tuple({}), text("cpu"), float_storage()}));
  CHECK(refused_with(archive, "a key that is no number"));
  archive = {};
  archive.object = pickled(persistent(number(1)));
  CHECK(refusal(archive.bytes()) == "");
}

TEST_CASE("an object that is a call is listed and not run") {
  Archive archive;
  archive.object = pickled(call(global("os", "system"), {text("x")}));
  const std::string bytes = archive.bytes();
  const MemorySource source("f", {as_bytes(bytes).begin(), as_bytes(bytes).end()});
  const auto loaded = load(source, Limits{});
  CHECK(type_of(loaded->checkpoint().names(), loaded->checkpoint().root()) == "os.system");
}

TEST_CASE("bytes behind the parts of a member are warned of") {
  Archive archive;
  archive.storages += "s";
  archive.tensors += "te";
  archive.object += "obj";
  const std::string bytes =
      tar_member("sys_info", pickled(archive.facts) + "info") + archive.bytes().substr(1024);
  const MemorySource source("f", {as_bytes(bytes).begin(), as_bytes(bytes).end()});
  std::string messages;
  for (const Warning& warning : load(source, Limits{})->warnings()) {
    messages += warning.message + "\n";
  }
  CHECK(messages ==
        "4 bytes at the end of 'sys_info' are no part of it\n"
        "1 bytes at the end of 'storages' are no part of it\n"
        "2 bytes at the end of 'tensors' are no part of it\n"
        "3 bytes at the end of 'pickle' are no part of it\n"
        "storages that share bytes with others, until they are written anew: 1, the first is '8', "
        "a view of '7'\n");
}

TEST_CASE("another tar archive is no checkpoint") {
  CHECK(
      refusal(tar_member("a", "x")) ==
      "f: a tar archive without a file 'storages': torch.save wrote storages, tensors and pickle");
  CHECK(refusal(tar_member("storages", "x") + tar_member("tensors", "x"))
            .starts_with("f: a tar archive without a file 'pickle'"));
  CHECK(refusal(Archive().bytes().substr(0, Archive().bytes().size() - 1024) +
                tar_member("pickle", "x"))
            .ends_with("a second member 'pickle'"));
}

}  // namespace
}  // namespace ptsd::format
