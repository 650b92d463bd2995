// SPDX-License-Identifier: Apache-2.0
#include "format/probe.h"
#include "support/refusal.h"
#include "support/zip_assembler.h"
#include "unit/checkpoint/loading.h"

namespace ptsd::format {
namespace {

using namespace test;
using test::list;
using test::pickle;
using test::tensor;
using namespace std::string_literals;
using checkpoint::texts;
using Lines = std::vector<std::string>;

std::string refusal(const ByteSource& source) {
  return refused([&] { load(source, Limits{}); });
}

std::string refusal(std::string_view bytes) {
  return refusal(MemorySource("f", {as_bytes(bytes).begin(), as_bytes(bytes).end()}));
}

std::string stopped(const Fragment& root) {
  return root + ".";
}

// An archive with this pickle and its version, for more records.
ZipAssembler archive(const Fragment& root) {
  return zip().torch_layout().member("m/data.pkl", stopped(root)).member("m/version", "3\n");
}

Lines warnings(const ZipAssembler& assembler) {
  const MemorySource source = assembler.source();
  return texts(load(source, Limits{})->warnings());
}

Fragment weight(std::string_view key, std::int64_t count = 2) {
  return dict({
      {text("w"), tensor(storage(key, count), {2}, {1})}
  });
}

// clang-format off
TEST_CASE("what is no checkpoint is named by its content") {
  const auto cases = std::to_array<std::pair<std::string, std::string_view>>({
      {"", "an empty file"},
      {"PK\5\6"s + std::string(18, '\0'), "an empty zip archive"},
      {"version https://git-lfs.github.com/spec/v1\n",
       "a git-lfs pointer and not the file itself: run git lfs pull"},
      {"\n <!DOCTYPE html>", "an HTML page and not a checkpoint: the download went wrong"},
      {"<HTML>", "an HTML page and not a checkpoint: the download went wrong"},
      {"PYTORCH1", "a preview archive of PyTorch 1.0, which PyTorch itself refuses"},
      {"\x10\0\0\0ET12"s, "an ExecuTorch program (.pte), not a checkpoint"},
      {"\x1c\0\0\0TFL3"s, "a TensorFlow Lite model, not a PyTorch checkpoint"},
      {"\x08\x01\x12\x80\x05\x0a", "a TensorFlow SavedModel (or another protobuf), not a PyTorch checkpoint"},
      {"\x08\x08\x12\x07pytorch", "an ONNX model, not a PyTorch checkpoint"},
      {"\x08\x0a\x3a\x80\x05", "an ONNX model, not a PyTorch checkpoint"},
      {"12345678901234567890\x57\xfb\x80\x8b\x24\x75\x47\xdb", "the index of a TensorFlow checkpoint, not a PyTorch checkpoint"},
      {"\x1f\x8b", "a gzip file: unpack it first"},
      {"\x04\x22\x4d\x18", "an LZ4 file: unpack it first"},
      {"\x78\x9c", "a zlib stream: unpack it first"},
      {"ggml", "a GGML file, not a PyTorch checkpoint"},
      {"lmgg", "a GGML file, not a PyTorch checkpoint"},
      {"fmgg", "a GGML file, not a PyTorch checkpoint"},
      {"tjgg", "a GGML file, not a PyTorch checkpoint"},
      {"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"},
      {"\xfd" "7zXZ", "an xz file: unpack it first"},
      {"BZh9", "a bzip2 file: unpack it first"},
      {"\x28\xb5\x2f\xfd", "a Zstandard file: unpack it first"},
      {"Rar!", "a RAR archive: unpack it first"},
      {"\x89HDF\r\n\x1a\n", "an HDF5 file (Keras?), not a PyTorch checkpoint"},
      {"GGUF", "a GGUF file, not a PyTorch checkpoint"},
      {"\x7f" "ELF", "a program (ELF), not a checkpoint"},
      {"x", "not a checkpoint of a known format: begins with 78"},
      {"123456789", "not a checkpoint of a known format: begins with 31 32 33 34 35 36 37 38"},
  });
  // clang-format on
  for (const auto& [bytes, message] : cases) {
    CHECK(refusal(bytes) == "f: " + std::string(message));
  }
}

TEST_CASE("other archives with torch's layout are named") {
  CHECK(refusal(zip().member("m/model.json", "{}").source()) ==
        "m.pt: a TorchScript archive of torch 1.0: not supported");
  CHECK(refusal(zip().member("metadata.json", "{}").member("model.weights.h5", "").source()) ==
        "m.pt: a Keras model (.keras), not a PyTorch checkpoint");
  CHECK(refusal(zip().member("[Content_Types].xml", "").source()) ==
        "m.pt: an Office document, not a checkpoint");
  CHECK(refusal(zip().member("META-INF/MANIFEST.MF", "").source()) ==
        "m.pt: a Java archive, not a checkpoint");
  CHECK(refusal(zip().member("m/x", "").source()) ==
        "m.pt: a zip archive without 'm/data.pkl': not written by torch.save");
}

TEST_CASE("an archive that was cut says so") {
  const std::string whole = archive(none()).text();
  CHECK(refusal(std::string_view(whole).substr(0, whole.size() / 2)).starts_with("f: "));
  CHECK(refusal(std::string_view(whole).substr(0, whole.size() - 1)).starts_with("f: "));
}

TEST_CASE("a record that is missing or short is refused, naming tensor and record") {
  CHECK(refusal(archive(weight("0")).source()) ==
        "m.pt: m/data/0: storage of 'w': there is no such record");
  CHECK(refusal(archive(weight("0")).member("m/data/0", "1234567").source()) ==
        "m.pt: m/data/0: storage of 'w': the record holds 7 bytes, the pickle declares 8 (2 "
        "elements of 4)");
  CHECK(refusal(archive(weight("0")).member("m/data/0", "12345678").source()) == "");
}

TEST_CASE("a record that is too long or that no tensor uses is warned of") {
  CHECK(warnings(archive(weight("0")).member("m/data/0", "123456789")) ==
        Lines{"m.pt: m/data/0: the record holds 9 bytes, the pickle declares 8 (2 elements of 4)"});
  CHECK(warnings(archive(none()).member("m/data/0", "123").member("m/data/1", "4")) ==
        Lines{"m.pt: no tensor uses 2 of the storage records (4 bytes)"});
}

TEST_CASE("records that no tensor uses are known by their keys") {
  const MemorySource source = archive(weight("0"))
                                  .member("m/data/0", "01234567")
                                  .member("m/data/7", "orphan")
                                  .member("m/data.txt", "no storage")
                                  .source();
  CHECK(load(source, Limits{})->orphan_keys() == std::unordered_set<std::string>{"7"});
}

TEST_CASE("a storage key is looked up as one exact name") {
  CHECK(refusal(archive(weight("../version")).source()).starts_with("m.pt: m/data/../version: "));
  for (const std::string& key : {"../x"s, ""s, "no number"s, std::string(60'000, 'k')}) {
    CHECK(refusal(archive(weight(key)).member("m/data/" + key, "12345678").source()) == "");
  }
  CHECK(refusal(archive(weight(std::string(100'000, 'k'))).source())
            .ends_with("storage of 'w': there is no such record"));
}

TEST_CASE("two keys that differ in case only cannot name one record") {
  const Fragment both = list({scalar_tensor("a"), scalar_tensor("A")});
  CHECK(refusal(archive(both).member("m/data/a", "1234").source()) ==
        "m.pt: m/data/A: storage of '1': another key names this record");
}

TEST_CASE("the version is what torch.load takes, or warned of") {
  const auto of_version = [](std::string_view version) {
    return warnings(zip().member("m/data.pkl", stopped(none())).member("m/version", version));
  };
  CHECK(of_version("3\n").empty());
  CHECK(of_version("10").empty());
  CHECK(of_version("11") == Lines{"m.pt: m/version: version is '11', torch.load takes 1 to 10"});
  CHECK(of_version("abc") == Lines{"m.pt: m/version: version is 'abc', torch.load takes 1 to 10"});
  CHECK(of_version("-1") == Lines{"m.pt: m/version: version is '-1', torch.load takes 1 to 10"});
  CHECK(warnings(zip().member("m/data.pkl", stopped(none()))) ==
        Lines{"m.pt: no record 'version': torch.load refuses the file"});
}

TEST_CASE("a byte order that is neither is refused") {
  CHECK(refusal(archive(none()).member("m/byteorder", "middle").source()) ==
        "m.pt: m/byteorder: byte order is 'middle', expected 'little' or 'big'");
  const MemorySource big = archive(none()).member("m/byteorder", "big").source();
  CHECK(load(big, Limits{})->facts().byteorder == "big");
}

TEST_CASE("bytes behind the end of the pickle are warned of") {
  CHECK(warnings(zip().member("m/data.pkl", stopped(none()) + "abc").member("m/version", "3")) ==
        Lines{"m.pt: m/data.pkl: 3 bytes after the end of the pickle"});
}

TEST_CASE("a deflated pickle is read, up to a part of the limit") {
  const MemorySource source = zip()
                                  .deflated("m/data.pkl", stopped(text(std::string(50'000, 'x'))))
                                  .member("m/version", "3")
                                  .source();
  CHECK(refusal(source) == "");
  const auto refused_up_to = [](const MemorySource& archive, std::uint64_t limit) {
    return refused([&] { load(archive, {.pickle_bytes = limit}); });
  };
  CHECK(refused_up_to(source, 128 * 50'006) == "");
  CHECK(refused_up_to(source, 128 * 50'000) ==
        "m.pt: m/data.pkl: compressed, and 50006 bytes inflated: 50000 are allowed of the "
        "compressed pickles of an archive, a 128th of --limit pickle-bytes=N");
  const MemorySource stored = archive(text(std::string(50'000, 'x'))).source();
  CHECK(refused_up_to(stored, 50'006) == "");
  CHECK(refused_up_to(stored, 50'005) != "");
}

}  // namespace
}  // namespace ptsd::format
