// SPDX-License-Identifier: Apache-2.0
#include "format/pt2.h"

#include "format/probe.h"
#include "support/refusal.h"
#include "support/zip_assembler.h"
#include "unit/checkpoint/loading.h"

namespace ptsd::format {
namespace {

using namespace test;
using checkpoint::Lines;
using test::pickle;
using test::tensor;

std::string payload(std::string_view name, std::string_view path, std::string_view sizes,
                    std::string_view strides, std::string_view more = "",
                    bool is_parameter = false) {
  return fmt::format(
      R"("{}": {{"path_name": "{}", "is_param": {}, "use_pickle": false, "tensor_meta": {{"dtype": 1,
         "sizes": {}, "strides": {}, "storage_offset": {{"as_int": 1}}, "layout": 7,
         "requires_grad": true, "device": {{"type": "cuda", "index": 2}}{}}}}})",
      name, path, is_parameter, sizes, strides, more);
}

constexpr std::string_view kTwo = R"([{"as_int": 2}])";
constexpr std::string_view kOne = R"([{"as_int": 1}])";

ZipAssembler archive(const std::string& weights) {
  return zip()
      .torch_layout()
      .member("p/data/weights/weight_0", "abcd")
      .member("p/data/weights/m_weights_config.json", R"({"config": {)" + weights + "}}")
      .member("p/models/m.json", "{}")
      .member("p/archive_format", "pt2");
}

Lines lines(const ZipAssembler& assembler) {
  const MemorySource source = assembler.source();
  return checkpoint::entries(load(source, Limits{})->checkpoint());
}

std::string refusal(const ZipAssembler& assembler) {
  return refused([&] { lines(assembler); });
}

TEST_CASE("weights are views of records, which they can share") {
  const std::string weights =
      payload("a", "weight_0", kTwo, kTwo) + "," + payload("b.c", "weight_0", kTwo, kOne, "", true);
  const MemorySource source = archive(weights).source();
  const auto loaded = load(source, Limits{});
  CHECK(checkpoint::entries(loaded->checkpoint()) ==
        Lines{"a: tensor uint8 [2] stride [2] offset 1 grad",
              "b.c: parameter uint8 [2] stride [1] offset 1 grad"});
  REQUIRE(loaded->checkpoint().tensors().storage_count() == 1);
  const auto storage = loaded->open_storage(checkpoint::StorageId{0});
  CHECK(as_text(storage->read(0, storage->size())) == "abcd");
  CHECK(loaded->facts().format == "pt2");
}

TEST_CASE("constants lie beside the weights, and several programs beside one another") {
  const std::string constant = payload("k", "tensor_0", kOne, kOne);
  ZipAssembler two = archive(payload("a", "weight_0", kTwo, kOne));
  two.member("p/data/constants/tensor_0", "xy")
      .member("p/data/constants/custom_obj_0", "x")
      .member("p/.data/version", "3\n")
      .member("p/data/constants/m_constants_config.json",
              R"({"config": {)" + constant +
                  R"(, "o": {"path_name": "custom_obj_0", "is_param": false, "use_pickle": true,
                      "tensor_meta": null}}})");
  CHECK(lines(two) ==
        Lines{"a: tensor uint8 [2] stride [1] offset 1 grad",
              "~state/_torch_export/constants/k: tensor uint8 [1] stride [1] offset 1 grad"});
  const MemorySource source = two.source();
  CHECK(checkpoint::texts(load(source, Limits{})->warnings()) ==
        Lines{"m.pt: p/data/constants/custom_obj_0: 'o' is an object that is no tensor, and not "
              "shown"});
  two.member("p/models/n.json", "{}")
      .member("p/data/weights/n_weights_config.json", R"({"config": {}})");
  CHECK(lines(two).at(0) == "m/a: tensor uint8 [2] stride [1] offset 1 grad");
}

TEST_CASE("a weight can be a file of torch.save, and so can all of them") {
  const std::string saved = zip()
                                .torch_layout()
                                .member("x/data.pkl", tensor(storage("0", 1), {1}, {1}) + ".")
                                .member("x/data/0", "1234")
                                .member("x/version", "3\n")
                                .text();
  const std::string weight =
      R"("w": {"path_name": "weight_1", "is_param": false, "use_pickle": true, "tensor_meta": null})";
  CHECK(lines(archive(weight).member("p/data/weights/weight_1", saved)) ==
        Lines{"w: tensor float32 [1] stride [1]"});
  const Fragment all = dict({
      {text("w"), tensor(storage("0", 1), {1}, {1})}
  });
  const std::string whole = zip()
                                .torch_layout()
                                .member("x/data.pkl", all + ".")
                                .member("x/data/0", "1234")
                                .member("x/version", "3\n")
                                .text();
  CHECK(lines(zip()
                  .member("serialized_exported_program.json", "{}")
                  .member("serialized_state_dict.pt", whole)
                  .member("serialized_constants.pt", whole)) ==
        Lines{"w: tensor float32 [1] stride [1]",
              "~state/_torch_export/constants/w: tensor float32 [1] stride [1]"});
}

TEST_CASE("configs that make no tensors are refused") {
  const std::string_view named = R"([{"as_expr": "s0"}])";
  std::string messages;
  for (const std::string& weights :
       {payload("a", "weight_9", kTwo, kOne), payload("a", "weight_0", kTwo, "[]"),
        payload("a", "weight_0", named, kOne), payload("a", "weight_0", R"([{"as_int": 5}])", kOne),
        payload("a", "weight_0", kTwo, kOne, R"(, "dtype": 0)"),
        payload("a", "weight_0", kTwo, kOne, R"(, "layout": 1)"),
        payload("a", "weight_0", kTwo, kOne) + "," +
            payload("b", "weight_0", kTwo, kOne, R"(, "dtype": 2)"),
        std::string(R"("a": {"path_name": "weight_0"})"), std::string(R"("a": 1)")}) {
    messages += refusal(archive(weights)) + "\n";
  }
  CHECK(messages ==
        "m.pt: p/data/weights/weight_9: there is no such record, of 'a'\n"
        "m.pt: p/data/weights/m_weights_config.json+0x113: 'a': not as many strides as sizes\n"
        "m.pt: p/data/weights/m_weights_config.json+0x83: 'a': a size that is no number\n"
        "m.pt: 'a': needs 6 elements of storage '0', which has 4 (offset 1, size [5], stride [1])\n"
        "m.pt: p/data/weights/m_weights_config.json+0x12d: 'a': dtype 0 of torch.export\n"
        "m.pt: p/data/weights/weight_0: 'a' is of layout 1, expected strided ones\n"
        "m.pt: p/data/weights/weight_0: 'b' is of int8, another weight in the record is of uint8\n"
        "m.pt: p/data/weights/weight_0: 'a' has no tensor_meta\n"
        "m.pt: p/data/weights/m_weights_config.json+0x11: 'a': a number, an object expected\n");
  CHECK(refusal(zip().member("p/archive_format", "pt2")) ==
        "m.pt: a torch.export archive without a program");
}

TEST_CASE("what is compressed in a config or a blob is bounded") {
  const std::string config =
      R"({"config": {)" + std::string(1000, ' ') + payload("a", "weight_0", kTwo, kOne) + "}}";
  const MemorySource source = zip()
                                  .torch_layout()
                                  .member("p/data/weights/weight_0", "abcd")
                                  .deflated("p/data/weights/m_weights_config.json", config)
                                  .member("p/models/m.json", "{}")
                                  .member("p/archive_format", "pt2")
                                  .source();
  CHECK(refused([&] { load(source, Limits{}); }) == "");
  CHECK(refused([&] {
          load(source, {.pickle_bytes = 128 * 1000});
        }).starts_with("m.pt: p/data/weights/m_weights_config.json: compressed, and "));
  const std::string two =
      payload("a", "weight_0", kTwo, kOne) + "," + payload("b", "weight_0", kTwo, kOne);
  const MemorySource stored = archive(two).source();
  CHECK(refused([&] { load(stored, {.entries = 1}); }) ==
        "m.pt: p/data/weights/m_weights_config.json+0x125: 'b': more than 1 entries "
        "(--limit entries=N)");
  const std::string blob =
      zip().torch_layout().member("x/data.pkl", none() + ".").member("x/version", "3\n").text();
  const MemorySource blobs = zip()
                                 .member("serialized_exported_program.json", "{}")
                                 .deflated("serialized_state_dict.pt", blob)
                                 .source();
  CHECK(refused([&] {
          load(blobs, {.inflated_bytes = blob.size() - 1});
        }).starts_with("m.pt: serialized_state_dict.pt: "));
  CHECK(refused([&] {
          load(blobs, {.pickle_bytes = 128});
        }).ends_with("2 bytes inflated, 1 are allowed"));
}

TEST_CASE("records that no weight uses are warned of, a blob that is none is named") {
  const MemorySource source = archive(payload("a", "weight_0", kTwo, kOne))
                                  .member("p/data/weights/weight_1", "xyz")
                                  .member("p/.data/version", "11")
                                  .source();
  const auto loaded = load(source, Limits{});
  CHECK(checkpoint::texts(loaded->warnings()) ==
        Lines{"m.pt: p/.data/version: version is '11', torch.load takes 1 to 10",
              "m.pt: p/data/weights/: no tensor uses 1 of the storage records (3 bytes)"});
  CHECK(loaded->facts().orphan_records == 1);
  const std::string weight =
      R"("w": {"path_name": "weight_0", "is_param": false, "use_pickle": true, "tensor_meta": null})";
  CHECK(refusal(archive(weight)) == "m.pt: p/data/weights/weight_0: is no archive of torch.save");
}

}  // namespace
}  // namespace ptsd::format
