// SPDX-License-Identifier: Apache-2.0
#include "format/safetensors.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "checkpoint/listing.h"
#include "format/probe.h"
#include "format/safetensors_header.h"
#include "support/refusal.h"
#include "support/zip_assembler.h"
#include "unit/checkpoint/fragments.h"
#include "unit/format/safetensors_file.h"

namespace ptsd::format {
namespace {

using namespace std::string_literals;
using test::refused;

std::string prefix(std::uint64_t size) {
  return test::safetensors_prefix(size);
}

MemorySource source_of(std::string_view bytes) {
  return {
      "f", {as_bytes(bytes).begin(), as_bytes(bytes).end()}
  };
}

MemorySource file(std::string_view header, std::string_view data = "") {
  return source_of(test::safetensors_file(header, data));
}

std::string entry(std::string_view name, std::string_view dtype, std::string_view shape,
                  std::string_view offsets) {
  return test::safetensors_entry(name, dtype, shape, offsets);
}

std::string header(std::initializer_list<std::string> parts) {
  return test::safetensors_header(parts);
}

std::string refusal(const MemorySource& source) {
  return refused([&] { load_safetensors({.source = source}, Limits{}); });
}

// Each tensor as "name dtype shape", every other value as its path.
std::vector<std::string> lines(const Loaded& loaded) {
  const checkpoint::Checkpoint& checkpoint = loaded.checkpoint();
  const checkpoint::Listing listing =
      list(checkpoint, checkpoint.root(), checkpoint::Want::Everything);
  std::vector<std::string> all;
  for (std::size_t i = 0; i < listing.tensors().size(); ++i) {
    const checkpoint::Entry& item = listing.tensors()[i];
    const checkpoint::Tensor& tensor = checkpoint.tensors()[*item.tensor];
    all.push_back(fmt::format("{} {} [{}]", item.path, tensor::name(tensor.dtype),
                              fmt::join(checkpoint.tensors().shape(tensor), ",")));
  }
  for (std::size_t i = 0; i < listing.others().size(); ++i) {
    all.emplace_back(listing.others()[i].path);
  }
  return all;
}

std::string bytes_of(const Loaded& loaded, std::uint32_t storage) {
  const auto opened = loaded.open_storage(checkpoint::StorageId{storage});
  return std::string(as_text(opened->read(0, opened->size())));
}

using Lines = std::vector<std::string>;

TEST_CASE("a file gives its tensors in the order of their bytes") {
  const MemorySource source =
      file(header({entry("b", "U8", "[2]", "[4,6]"), entry("a", "F32", "[1]", "[0,4]"),
                   entry("e", "I64", "[0,3]", "[6,6]")}),
           "12345X");
  const auto loaded = load(source, Limits{});
  CHECK(lines(*loaded) == Lines{"a float32 [1]", "b uint8 [2]", "e int64 [0,3]"});
  CHECK(bytes_of(*loaded, 0) == "1234");
  CHECK(bytes_of(*loaded, 1) == "5X");
  CHECK(loaded->facts().format == "safetensors");
  CHECK_FALSE(loaded->facts().has_pickle);
  CHECK(loaded->warnings().empty());
  CHECK(loaded->file_offset(checkpoint::StorageId{1}) == source.size() - 2);
}

TEST_CASE("every dtype that torch has is read") {
  for (const SafetensorsType& type : kSafetensorsTypes) {
    const std::string bytes(type.bits, '\0');  // of eight elements
    const MemorySource source =
        file(header({entry("x", type.name, "[4,2]", fmt::format("[0,{}]", type.bits))}), bytes);
    if (!type.dtype) {
      CHECK(refusal(source) == fmt::format("f: +0x9: 'x': torch has no {}", type.name));
      continue;
    }
    CHECK(lines(*load(source, Limits{})) ==
          Lines{fmt::format("x {} [4,{}]", tensor::name(*type.dtype), type.bits == 4 ? 1 : 2)});
  }
}

TEST_CASE("shapes of F4 count halves of what torch counts") {
  const auto refusal_of = [](std::string_view shape, unsigned size) {
    return refusal(
        file(header({entry("x", "F4", shape, fmt::format("[0,{}]", size))}), std::string(size, 0)));
  };
  CHECK(refusal_of("[6]", 3) == "");
  CHECK(refusal_of("[3]", 1) == "f: +0x9: 'x': 12 bits of F4, which are no whole bytes");
  CHECK(refusal_of("[]", 1) == "f: +0x9: 'x': 4 bits of F4, which are no whole bytes");
  CHECK(refusal_of("[2,1]", 1) ==
        "f: +0x9: 'x': an odd number of F4 in the last dimension, torch has pairs of them");
}

TEST_CASE("metadata is an attribute of the dict") {
  const MemorySource source = file(
      header({R"("__metadata__":{"format":"pt","step":"7"})", entry("w", "U8", "[1]", "[0,1]")}),
      "1");
  const auto loaded = load(source, Limits{});
  CHECK(lines(*loaded) ==
        Lines{"w uint8 [1]", "~state/__metadata__/format", "~state/__metadata__/step"});
}

TEST_CASE("a name in the metadata that another tensor is kept for is a tensor of that storage") {
  const MemorySource source =
      file(header({R"("__metadata__":{"format":"w","head":"w","w":"v","other":"x"})",
                   entry("v", "U8", "[1]", "[0,1]"), entry("w", "U8", "[2]", "[1,3]")}),
           "123");
  const auto loaded = load(source, Limits{});
  CHECK(lines(*loaded) == Lines{"v uint8 [1]", "w uint8 [2]", "head uint8 [2]",
                                "~state/__metadata__/format", "~state/__metadata__/w",
                                "~state/__metadata__/other"});
  CHECK(loaded->checkpoint().tensors().storage_count() == 2);
}

TEST_CASE("an empty file of tensors is an empty dict") {
  CHECK(lines(*load(file("{}"), Limits{})) == Lines{""});
  CHECK(lines(*load(file("{\"__metadata__\":null}\r \t\n"), Limits{})) == Lines{""});
}

TEST_CASE("a field that safetensors does not have is ignored with a warning") {
  const MemorySource source =
      file(R"({"a":{"dtype":"U8","shape":[1],"extra":[{}],"data_offsets":[0,1]}})", "1");
  const auto warnings = load(source, Limits{})->warnings();
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].message ==
        "the field 'extra' of 'a', which safetensors does not have, is ignored");
}

TEST_CASE("a header whose size is wrong is refused before it is read") {
  CHECK(refusal(source_of("")) == "f: +0x0: 0 bytes, a safetensors file has at least 8");
  CHECK(refusal(source_of("1234567")) == "f: +0x0: 7 bytes, a safetensors file has at least 8");
  CHECK(refusal(source_of(prefix(0))) ==
        "f: +0x8: a safetensors header that does not begin with {");
  CHECK(refusal(source_of(prefix(60))) ==
        "f: +0x0: a safetensors header of 60 bytes, 0 are left in the file");
  CHECK(refusal(source_of(prefix(3) + "{}")) ==
        "f: +0x0: a safetensors header of 3 bytes, 2 are left in the file");
  CHECK(refusal(source_of(prefix(100'000'001) + "{}")) ==
        "f: +0x0: a safetensors header of 100000001 bytes, the largest has 100000000");
  for (const std::uint64_t size : {std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    CHECK(
        refusal(source_of(prefix(size) + "{}")) ==
        fmt::format("f: +0x0: a safetensors header of {} bytes, the largest has 100000000", size));
  }
}

struct Refused {
  std::string header;
  std::string_view data;
  std::string_view message;  // behind "f: "
};

void check(const Refused& refused) {
  CAPTURE(refused.header);
  CHECK(refusal(file(refused.header, refused.data)) == "f: " + std::string(refused.message));
}

TEST_CASE("a header that is not UTF-8 is refused") {
  check({"\xff", "", "+0x8: a safetensors header that does not begin with {"});
  check({"{\"\xff\":1}", "", "+0xa: a string that is not UTF-8"});
}

TEST_CASE("a header that is no JSON is refused") {
  check({"{", "", "+0x9: the JSON text ends too early"});
  check({"{}\0"s, "", "+0xa: more text behind the JSON value"});
  check({"{}{}", "", "+0xa: more text behind the JSON value"});
}

TEST_CASE("white space before the header is refused") {
  check({" {}", "", "+0x8: a safetensors header that does not begin with {"});
}

TEST_CASE("a name that stands twice is refused, spelled with an escape too") {
  const std::string a = entry("a", "U8", "[1]", "[0,1]");
  check({header({a, a}), "1", "+0x3d: the tensor 'a' stands twice, first at 0x9"});
  check({header({a, entry("\\u0061", "U8", "[1]", "[1,2]")}), "12",
         "+0x3d: the tensor 'a' stands twice, first at 0x9"});
}

TEST_CASE("a field that stands twice is refused, an unknown one too") {
  check({R"({"a":{"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "1",
         "+0x1b: 'a': the field 'dtype' stands twice"});
  check({R"({"a":{"x":1,"\u0078":1,"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "1",
         "+0x14: 'a': the field 'x' stands twice"});
}

TEST_CASE("metadata that is no map of strings is refused") {
  check({R"({"__metadata__":[]})", "", "+0x18: '__metadata__': an array, an object expected"});
  check({R"({"__metadata__":{"a":1}})", "",
         "+0x1d: '__metadata__': 'a': a number, a string expected"});
  check({R"({"__metadata__":{"a":{}}})", "",
         "+0x1d: '__metadata__': 'a': an object, a string expected"});
  check({R"({"__metadata__":{"a":"1","a":"1"}})", "",
         "+0x21: '__metadata__': the key 'a' stands twice"});
  check({R"({"__metadata__":{},"__metadata__":{}})", "", "+0x1b: '__metadata__' stands twice"});
}

TEST_CASE("an entry without one of its fields is refused") {
  check({R"({"a":{"shape":[1],"data_offsets":[0,1]}})", "1", "+0x9: 'a': no field 'dtype'"});
  check({R"({"a":{"dtype":"U8","data_offsets":[0,1]}})", "1", "+0x9: 'a': no field 'shape'"});
  check({R"({"a":{"dtype":"U8","shape":[1]}})", "1", "+0x9: 'a': no field 'data_offsets'"});
}

TEST_CASE("an entry that is no object is refused") {
  check({R"({"a":["U8",[1],[0,1]]})", "1", "+0xd: 'a': an array, an object expected"});
  check({R"({"a":null})", "", "+0xd: 'a': null, an object expected"});
}

TEST_CASE("an unknown dtype is refused") {
  check({header({entry("a", "u8", "[1]", "[0,1]")}), "1", "+0x16: 'a': an unknown dtype: 'u8'"});
  check({R"({"a":{"dtype":3,"shape":[1],"data_offsets":[0,1]}})", "1",
         "+0x16: 'a': a number, a string expected"});
}

TEST_CASE("a shape of anything but unsigned integers is refused") {
  const auto shape = [](std::string_view text) {
    return header({entry("a", "U8", text, "[0,1]")});
  };
  for (const std::string size : {"1.0", "1e0", "-1", "-0", "18446744073709551616"}) {
    check({shape("[" + size + "]"), "1",
           "+0x24: 'a': the number '" + size + "', one from 0 to 2^64 - 1 expected"});
  }
  check({shape("[\"1\"]"), "1", "+0x24: 'a': a string, a number expected"});
  check({shape("[[1]]"), "1", "+0x24: 'a': an array, a number expected"});
  check({shape("1"), "1", "+0x23: 'a': a number, an array expected"});
  check({shape("[0,9223372036854775808]"), "",
         "+0x26: 'a': a dimension of 9223372036854775808 "
         "elements"});
}

TEST_CASE("more dimensions than the limit are refused") {
  std::string shape = "[1";
  for (int i = 0; i < 64; ++i) {
    shape += ",1";
  }
  check({header({entry("a", "U8", shape + "]", "[0,1]")}), "1",
         "+0xa4: 'a': more than 64 dimensions (--limit dimensions=N)"});
}

TEST_CASE("data_offsets that are no pair are refused") {
  const auto offsets = [](std::string_view text) {
    return header({entry("a", "U8", "[1]", text)});
  };
  check({offsets("[]"), "1", "+0x36: 'a': data_offsets that are empty, two offsets expected"});
  check({offsets("[0]"), "1", "+0x37: 'a': one offset in data_offsets, two expected"});
  check({offsets("[0,1,2]"), "1", "+0x39: 'a': more than two offsets in data_offsets"});
  check({offsets("[1,0]"), "1", "+0x9: 'a': data_offsets that run backwards: 1 to 0"});
  check({offsets("[0,1.0]"), "1", "+0x39: 'a': the number '1.0', one from 0 to 2^64 - 1 expected"});
}

TEST_CASE("a shape that needs more or fewer bytes than there are is refused") {
  check({header({entry("test", "I32", "[2,2]", "[0,4]")}), "1234",
         "+0x9: 'test': 4 bytes of data, its shape and dtype need 16"});
  check({header({entry("a", "U8", "[]", "[0,0]")}), "",
         "+0x9: 'a': 0 bytes of data, its shape and dtype need 1"});
}

TEST_CASE("a shape whose product wraps is refused") {
  check({header({entry("a", "I32", "[4,4611686018427387904]", "[0,0]")}), "",
         "+0x9: 'a': a shape of more than 2^64 elements"});
  check({header({entry("a", "I32", "[2,4611686018427387904]", "[0,0]")}), "",
         "+0x9: 'a': a shape of more than 2^64 bits"});
  check({header({entry("a", "U8", "[9223372036854775807,4,0]", "[0,0]")}), "",
         "+0x9: 'a': a shape of more than 2^64 elements"});
}

TEST_CASE("data that the tensors do not fill is refused, and names both neighbours") {
  const auto two = [](std::string_view first, std::string_view second) {
    return header({entry("a", "U8", "[2]", first), entry("b", "U8", "[2]", second)});
  };
  check({two("[1,3]", "[3,5]"), "12345",
         "+0x9: 'a': begins at 1 of the data, and nothing lies before it"});
  check({two("[0,2]", "[3,5]"), "12345",
         "+0x3d: 'b': begins at 3 of the data, 1 bytes behind the end of 'a'"});
  check({two("[0,2]", "[1,3]"), "123",
         "+0x3d: 'b': begins at 1 of the data, inside of 'a', which ends at 2"});
  check({two("[0,2]", "[0,2]"), "12",
         "+0x3d: 'b': begins at 0 of the data, inside of 'a', which ends at 2"});
}

TEST_CASE("data of another size than the tensors are refused") {
  const std::string one = header({entry("a", "U8", "[2]", "[0,2]")});
  check({one, "1", "+0x9: 'a': ends at 2 of the data, of which there are 1 bytes"});
  check({one, "123", "+0x3f: 1 bytes that belong to no tensor at the end of the file, behind 'a'"});
  check({"{}", "1", "+0xa: 1 bytes that belong to no tensor at the end of the file"});
  check({header({entry("a", "U8", "[2]", "[18446744073709551613,18446744073709551615]")}), "1",
         "+0x9: 'a': begins at 18446744073709551613 of the data, and nothing lies before it"});
}

TEST_CASE("an empty tensor in the middle of another is refused") {
  check({header({entry("a", "U8", "[2]", "[0,2]"), entry("b", "U8", "[0]", "[1,1]")}), "12",
         "+0x3d: 'b': begins at 1 of the data, inside of 'a', which ends at 2"});
}

// A test of safetensors/src/tensor.rs.
void check_theirs(std::string_view test, const std::string& bytes) {
  CAPTURE(test);
  CHECK(refusal(source_of(bytes)) != "");
}

TEST_CASE("what the tests of safetensors itself refuse is refused") {
  const std::string sound =
      prefix(60) + R"({"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}})";
  const std::string zeros(16, '\0');
  const auto of_shape = [&](std::string_view shape) {
    return test::safetensors_file(header({entry("test", "I32", shape, "[0,16]")}), zeros);
  };
  CHECK(refusal(source_of(sound + zeros)) == "");
  check_theirs("test_metadata_incomplete_buffer",
               sound + zeros + "extra_bogus_data_for_polyglot_file");
  check_theirs("test_metadata_incomplete_buffer", sound + zeros.substr(2));
  check_theirs("test_header_too_large", "\x3c\0\0\0\0\xff\xff\xff"s + sound.substr(8) + zeros);
  check_theirs("test_header_too_small", "");
  check_theirs("test_invalid_header_length", prefix(60));
  check_theirs("test_invalid_header_non_utf8", prefix(1) + "\xff");
  check_theirs("test_invalid_header_not_json", prefix(1) + "{");
  check_theirs("test_whitespace_start_padded_header", prefix(6) + "\t\n{}\r ");
  const std::string a = entry("weight_0", "F32", "[2,2]", "[0,16]");
  const std::string b = entry("weight_1", "F32", "[2,2]", "[0,16]");
  check_theirs("test_json_attack", test::safetensors_file(header({a, b}), zeros));
  check_theirs("test_invalid_info",
               test::safetensors_file(header({entry("test", "I32", "[2,2]", "[0,4]")}), "1234"));
  check_theirs("test_validation_overflow", of_shape("[2,18446744073709551614]"));
  check_theirs("test_validation_overflow", of_shape("[2,9223372036854775807]"));
}

TEST_CASE("numbers and nesting of any size end in a clean error") {
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  const std::string digits(200'000, '9');
  for (const std::string& value : {deep, digits, "1e999"s, "-1e999"s}) {
    CHECK(refusal(file(header({entry("a", "U8", "[" + value + "]", "[0,1]")}), "1")) != "");
    CHECK(refusal(file(header({entry("a", "U8", "[1]", "[0," + value + "]")}), "1")) != "");
  }
  CHECK(refusal(file(R"({"a":)" + deep + "}")) != "");
  CHECK(refusal(file(R"({"__metadata__":{"a":)" + deep + "}}")) != "");
  const auto with_field = [](const std::string& value) {
    return file(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":)" + value + "}}", "1");
  };
  CHECK(refusal(with_field(deep)) != "");
  CHECK(refusal(with_field(digits)) == "");
  CHECK(refusal(with_field("1e999")) == "");
}

TEST_CASE("a header is an object") {
  for (const std::string_view text : {"[1,2]", "null", "12", "\"a\""}) {
    check({std::string(text), "", "+0x8: a safetensors header that does not begin with {"});
  }
}

TEST_CASE("keys that are equal once they are unescaped stand twice") {
  CHECK(refusal(file(R"({"__metadata__":{"a":"1","\u0061":"2"}})")) != "");
  CHECK(refusal(file(R"({"__metadata__":{},"__metadata_\u005f":{}})")) != "");
  CHECK(refusal(file(R"({"a":{"dtype":"U8","d\u0074ype":"U8","shape":[1],"data_offsets":[0,1]}})",
                     "1")) != "");
}

TEST_CASE("content decides, whatever a file is called") {
  const auto format_of = [](std::string_view bytes) {
    const MemorySource source("x.safetensors", {as_bytes(bytes).begin(), as_bytes(bytes).end()});
    return std::string(load(source, Limits{})->facts().format);
  };
  const std::string archive =
      test::zip().member("m/data.pkl", test::none() + ".").member("m/version", "3\n").text();
  CHECK(format_of(archive) == "torch-zip");
  CHECK(format_of("(dp0\nS'a'\nI1\ns.") == "pickle");
}

TEST_CASE("a pickle that is called safetensors is no safetensors file") {
  const MemorySource source = source_of("\x80\2}.");
  CHECK(load(source, Limits{})->facts().format == "pickle");
}

}  // namespace
}  // namespace ptsd::format
