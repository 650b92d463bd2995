// SPDX-License-Identifier: Apache-2.0
#include "format/safetensors_save.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "format/json_text.h"
#include "format/probe.h"
#include "support/refusal.h"
#include "unit/format/safetensors_file.h"

namespace ptsd::format {
namespace {

using namespace std::string_literals;
using checkpoint::FlatCheckpoint;
using checkpoint::FlatTensor;
using tensor::DType;
using test::refused;

constexpr std::string_view kData = "0123456789abcdef";

// A file with one storage of 16 bytes.
struct Source {
  Source()
      : file("f",
             bytes_of(test::safetensors_file(
                 test::safetensors_header({test::safetensors_entry("x", "U8", "[16]", "[0,16]")}),
                 kData))),
        loaded(load(file, Limits{})) {}

  static std::vector<std::byte> bytes_of(std::string_view text) {
    return {as_bytes(text).begin(), as_bytes(text).end()};
  }

  MemorySource file;
  std::unique_ptr<Loaded> loaded;
};

// With spaces to a multiple of 8 bytes, as a writer pads it.
std::string padded(std::string header, std::string_view data = "") {
  while (header.size() % 8 != 0) {
    header += ' ';
  }
  return test::safetensors_file(header, data);
}

// Every byte is what it was, and 1 more.
class Plus final : public checkpoint::Derivation {
 public:
  std::uint64_t size() const override { return kData.size(); }
  std::unique_ptr<ByteSource> over(std::unique_ptr<ByteSource> storage) const override {
    std::vector<std::byte> bytes = storage->read(0, storage->size());
    for (std::byte& byte : bytes) {
      byte = static_cast<std::byte>(static_cast<unsigned>(byte) + 1);
    }
    return std::make_unique<MemorySource>("plus", std::move(bytes));
  }
};

FlatTensor flat(std::string name, DType dtype, std::vector<std::int64_t> shape,
                std::uint64_t offset = 0) {
  return {.name = std::move(name),
          .dtype = dtype,
          .shape = std::move(shape),
          .payload = {},
          .offset = offset};
}

std::string save(FlatCheckpoint checkpoint) {
  const Source source;
  const std::array<const Loaded*, 1> inputs = {source.loaded.get()};
  SafetensorsSave out(std::move(checkpoint), inputs);
  MemorySink sink;
  out.write(sink);
  CHECK(sink.bytes().size() == out.size());
  out.verify(MemorySource("out", sink.bytes()), true, Limits{});
  return std::string(as_text(sink.bytes()));
}

std::string refusal(FlatCheckpoint checkpoint) {
  return refused([&] { save(std::move(checkpoint)); });
}

TEST_CASE("tensors are written by the rank of their dtype, then by name, as the reference does") {
  CHECK(save({
            .tensors = {flat("b",  DType::UInt8, {2}, 3), flat("c", DType::Float32, {1, 1}, 4),
                        flat("a", DType::UInt8, {}, 1), flat("i", DType::Int64, {0, 2})},
            .metadata = {}
  }) == padded(R"({"i":{"dtype":"I64","shape":[0,2],"data_offsets":[0,0]},)"
                                       R"("c":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]},)"
                                       R"("a":{"dtype":"U8","shape":[],"data_offsets":[4,5]},)"
                                       R"("b":{"dtype":"U8","shape":[2],"data_offsets":[5,7]}})",
                                       "4567134"));
}

TEST_CASE("metadata stand first, in their order, and only where there are any") {
  CHECK(save({
            .tensors = {flat("a", DType::Bool, {1})},
            .metadata = {{"alias", "a"},        {"format", "pt"}     }
  }) ==
        padded(R"({"__metadata__":{"alias":"a","format":"pt"},)"
               R"("a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})",
               "0"));
  CHECK(save({}) == padded("{}"));
  CHECK(save({.tensors = {}, .metadata = {{"format", "pt"}}}) ==
        padded(R"({"__metadata__":{"format":"pt"}})"));
}

TEST_CASE("the shape of float4_e2m1fn_x2 counts halves") {
  CHECK(save({.tensors = {flat("a", DType::Float4E2M1FnX2, {2, 3})}, .metadata = {}})
            .find(R"("dtype":"F4","shape":[2,6],"data_offsets":[0,6])") != std::string::npos);
  CHECK(refusal({.tensors = {flat("a", DType::Float4E2M1FnX2, {})}, .metadata = {}}) ==
        "f: 'a': safetensors has no scalar of float4_e2m1fn_x2");
}

TEST_CASE("bytes that an operation makes are written and verified") {
  FlatTensor tensor = flat("a", DType::UInt8, {4}, 12);
  tensor.payload.derivation = std::make_shared<const Plus>();
  CHECK(save({.tensors = {tensor}, .metadata = {}}).ends_with("defg"));
}

TEST_CASE("a dtype that safetensors does not have is refused, naming the tensor") {
  for (const tensor::DTypeInfo& info : tensor::kDTypes) {
    if (find_safetensors_type(info.dtype) != nullptr) continue;
    CHECK(refusal({.tensors = {flat("a", info.dtype, {0})}, .metadata = {}}) ==
          "f: 'a': safetensors has no " + std::string(info.name));
  }
}

TEST_CASE("names that cannot be are refused") {
  CHECK(refusal({
            .tensors = {flat("a",     DType::UInt8, {1}), flat("a", DType::Int8, {1})},
            .metadata = {}
  }) == "f: two tensors are called 'a'");
  CHECK(refusal({.tensors = {flat("__metadata__", DType::UInt8, {1})}, .metadata = {}}) ==
        "f: '__metadata__': safetensors keeps this name for itself");
  CHECK(refusal({.tensors = {flat("\xff", DType::UInt8, {1})}, .metadata = {}}) ==
        "f: '\\xff': safetensors takes names that are UTF-8, and no others");
}

TEST_CASE("a tensor of more bytes than its storage has is refused") {
  CHECK(refusal({.tensors = {flat("a", DType::UInt8, {2}, 15)}, .metadata = {}}) ==
        "f: 'a': more bytes than its storage has");
  CHECK(refusal({.tensors = {flat("a", DType::Float64, {std::int64_t{1} << 62})},
                 .metadata = {}}) == "f: 'a': more bytes than its storage has");
}

TEST_CASE("a shape that no reader of safetensors takes is refused before anything is written") {
  const std::int64_t large = std::int64_t{1} << 62;
  CHECK(refusal({.tensors = {flat("a", DType::Float32, {large, 4, 0})}, .metadata = {}}) ==
        "f: 'a': safetensors takes no shape whose first sizes make more than 2^64 bits, though it "
        "is empty");
  CHECK(refusal({.tensors = {flat("a", DType::Float32, {0, large, 4})}, .metadata = {}}) == "");
}

TEST_CASE("what was not written as planned is found when it is read back") {
  const Source source;
  const std::array<const Loaded*, 1> inputs = {source.loaded.get()};
  FlatTensor made = flat("b", DType::UInt8, {4});
  made.payload.derivation = std::make_shared<const Plus>();
  SafetensorsSave out(
      {
          .tensors = {flat("a",                  DType::UInt8, {4}), made},
            .metadata = {}
  },
      inputs);
  MemorySink sink;
  out.write(sink);
  const auto refusal_of = [&](std::vector<std::byte> bytes, bool payload = true) {
    return refused([&] { out.verify(MemorySource("out", std::move(bytes)), payload, Limits{}); });
  };
  const auto changed = [&](std::size_t at) {
    std::vector<std::byte> bytes = sink.bytes();
    bytes[at] ^= std::byte{1};
    return bytes;
  };
  const std::size_t size = sink.bytes().size();
  CHECK(refusal_of(sink.bytes()) == "");
  CHECK(refusal_of(changed(20)) == "out: read back: another header than was written");
  CHECK(refusal_of(changed(size - 1)) ==
        "out: +0x7c: read back: 'b': other bytes than were written");
  CHECK(refusal_of(changed(size - 8)) ==
        "out: +0x78: read back: 'a': other bytes than were written");
  CHECK(refusal_of(changed(size - 1), false) == "");
  std::vector<std::byte> longer = sink.bytes();
  longer.push_back({});
  CHECK(refusal_of(longer) == "out: read back: 129 bytes, expected 128");
}

TEST_CASE("strings are escaped as serde_json and as Python escape them") {
  const std::string text = "a\"\\/\b\f\n\r\t\x01\x1f\x7f\0\u00e9\u2028\U0001f600"s;
  std::string few;
  append_json_string(few, text, JsonEscapes::Few);
  CHECK(few == "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\u0000\u00e9\u2028\U0001f600\"");
  std::string ascii;
  append_json_string(ascii, text, JsonEscapes::Ascii);
  CHECK(ascii ==
        "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\\u0000\\u00e9\\u2028\\ud83d\\ude00\"");
}

}  // namespace
}  // namespace ptsd::format
