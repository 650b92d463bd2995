// SPDX-License-Identifier: Apache-2.0
#include "unit/checkpoint/loading.h"

// Every form that torch has pickled tensors in.

namespace ptsd::checkpoint {
namespace {

using namespace test;
using test::list;
using test::pickle;
using test::tensor;

std::string form(const Fragment& tensor) {
  const Lines lines = entries(tensor);
  return lines.empty() ? "" : lines.front();
}

Fragment plain(std::string_view key = "0") {
  return tensor(storage(key, 6), {2, 3}, {3, 1});
}

Fragment longs(std::string_view key, const std::vector<std::int64_t>& size,
               const std::vector<std::int64_t>& stride) {
  return tensor(storage(key, 64, "LongStorage"), size, stride);
}

Fragment layout(std::string_view name) {
  return call(global("torch.serialization", "_get_layout"), {text(name)});
}

Fragment torch_size(const std::vector<std::int64_t>& size) {
  return call(global("torch", "Size"), {numbers(size)});
}

TEST_CASE("_rebuild_tensor") {
  CHECK(form(call(rebuild("_rebuild_tensor"),
                  {storage("0", 6, "HalfStorage"), number(1), numbers({2}), numbers({3})})) ==
        ": tensor float16 [2] stride [3] offset 1");
}

TEST_CASE("_rebuild_tensor_v2") {
  Fragments arguments = tensor_arguments(storage("0", 6), numbers({2, 3}), numbers({3, 1}));
  CHECK(form(call(rebuild("_rebuild_tensor_v2"), arguments)) ==
        ": tensor float32 [2, 3] stride [3, 1]");
  arguments[4] = yes();
  arguments.push_back(dict({
      {text("conj"), yes()},
      {text("neg"),  yes()}
  }));
  CHECK(form(call(rebuild("_rebuild_tensor_v2"), arguments)) ==
        ": tensor float32 [2, 3] stride [3, 1] grad conj neg");
  CHECK(form(tensor(storage("0", 1), {}, {})) == ": tensor float32 []");
}

TEST_CASE("_rebuild_tensor_v3 names the type, its storage holds bytes") {
  Fragments arguments =
      tensor_arguments(storage("0", 6, "UntypedStorage"), numbers({3}), numbers({1}));
  arguments.push_back(global("torch", "uint16"));
  CHECK(form(call(rebuild("_rebuild_tensor_v3"), arguments)) == ": tensor uint16 [3] stride [1]");
  arguments[6] = global("torch", "uint32");
  CHECK(refusal(call(rebuild("_rebuild_tensor_v3"), arguments))
            .ends_with("needs 3 elements of storage '0', which has 1 (offset 0, size [3], "
                       "stride [1])"));
}

TEST_CASE("parameters, with and without attributes") {
  CHECK(form(call(rebuild("_rebuild_parameter"), {plain(), yes(), hooks()})) ==
        ": parameter float32 [2, 3] stride [3, 1] grad");
  CHECK(entries(call(rebuild("_rebuild_parameter_with_state"),
                     {
                         plain(), no(), hooks(), dict({{text("tag"), number(7)}}
                            )
  })) ==
        Lines{": parameter float32 [2, 3] stride [3, 1]", "~state/tag: int"});
}

TEST_CASE("a quantised tensor has its scale, or tensors of scales") {
  const auto quantised = [](const Fragment& params) {
    return call(rebuild("_rebuild_qtensor"), {storage("0", 6, "QInt8Storage"), number(0),
                                              numbers({6}), numbers({1}), params, no(), hooks()});
  };
  CHECK(form(quantised(tuple({global("torch", "per_tensor_affine"), floating(0.5), number(3)}))) ==
        ": quantized qint8 [6] stride [1]");
  CHECK(form(quantised(tuple({global("torch", "per_channel_affine"),
                              tensor(storage("1", 6, "DoubleStorage"), {6}, {1}),
                              longs("2", {6}, {1}), number(0)}))) ==
        ": quantized qint8 [6] stride [1] (scales: tensor float64 [6] stride [1]) (zero_points: "
        "tensor int64 [6] stride [1])");
  CHECK(form(quantised(tuple({global("torch", "per_channel_affine"), list({floating(1)}),
                              list({number(0)}), number(0)}))) ==
        ": quantized qint8 [6] stride [1]");
  CHECK(refusal(quantised(tuple({text("affine"), none(), none()})))
            .ends_with("qscheme is a str, expected a torch.qscheme"));
  CHECK(refusal(quantised(tuple({none()}))).ends_with("1 quantizer parameters, expected 3 or 4"));
}

TEST_CASE("sparse tensors, by coordinates and compressed") {
  const Fragment values = tensor(storage("v", 4), {4}, {1});
  CHECK(form(call(rebuild("_rebuild_sparse_tensor"),
                  {layout("torch.sparse_coo"),
                   tuple({longs("i", {2, 4}, {4, 1}), values, torch_size({5, 6}), yes()})})) ==
        ": sparse float32 [5, 6] torch.sparse_coo (indices: tensor int64 [2, 4] stride [4, 1]) "
        "(values: tensor float32 [4] stride [1])");
  const auto compressed = [&](std::string_view name) {
    return form(call(rebuild("_rebuild_sparse_tensor"),
                     {layout(name), tuple({longs("c", {6}, {1}), longs("r", {4}, {1}), values,
                                           torch_size({5, 6})})}));
  };
  CHECK(compressed("torch.sparse_csr") ==
        ": sparse float32 [5, 6] torch.sparse_csr (crow_indices: tensor int64 [6] stride [1]) "
        "(col_indices: tensor int64 [4] stride [1]) (values: tensor float32 [4] stride [1])");
  CHECK(compressed("torch.sparse_bsc") ==
        ": sparse float32 [5, 6] torch.sparse_bsc (ccol_indices: tensor int64 [6] stride [1]) "
        "(row_indices: tensor int64 [4] stride [1]) (values: tensor float32 [4] stride [1])");
  CHECK(form(call(rebuild("_rebuild_sparse_csr_tensor"),
                  {layout("torch.sparse_csr"), tuple({longs("c", {6}, {1}), longs("r", {4}, {1}),
                                                      values, torch_size({5, 6})})}))
            .starts_with(": sparse float32 [5, 6] torch.sparse_csr"));
  CHECK(refusal(call(rebuild("_rebuild_sparse_tensor"),
                     {layout("torch.strided"), tuple({none(), none(), values, torch_size({})})}))
            .ends_with("layout 'torch.strided' of a sparse tensor"));
}

TEST_CASE("nested tensors, strided and jagged") {
  CHECK(form(call(rebuild("_rebuild_nested_tensor"),
                  {tensor(storage("0", 10), {10}, {1}), longs("1", {3, 2}, {2, 1}),
                   longs("2", {3, 2}, {2, 1}), longs("3", {3}, {1})}))
            .starts_with(": nested float32 [3, -1, -1] (buffer: tensor float32 [10] stride [1])"));
  const Fragment njt = global("torch.nested._internal.nested_tensor", "_rebuild_njt");
  CHECK(form(call(njt,
                  {
                      dict({{text("values"), tensor(storage("0", 10), {5, 2}, {2, 1})},
                            {text("offsets"), longs("1", {4}, {1})},
                            {text("_ragged_idx"), number(1)}}
                      )
  })) ==
        ": nested float32 [3, -1, 2] torch.jagged (values: tensor float32 [5, 2] stride [2, 1]) "
        "(offsets: tensor int64 [4] stride [1])");
  CHECK(refusal(call(njt, {dict({})})).ends_with("a jagged tensor without values or offsets"));
  CHECK(refusal(call(njt, {dict(Pairs(65, {text("lengths"), none()}))}))
            .ends_with("a jagged tensor of more than 64 entries"));
}

TEST_CASE("tensors without bytes of their own") {
  CHECK(form(call(rebuild("_rebuild_meta_tensor_no_storage"),
                  {global("torch", "bfloat16"), numbers({2, 3}), numbers({3, 1}), no()})) ==
        ": meta bfloat16 [2, 3] stride [3, 1] on meta");
  const Fragments wrapper = {global("__main__", "Sub"),
                             global("torch", "float32"),
                             numbers({4}),
                             numbers({1}),
                             number(0),
                             layout("torch.strided"),
                             call(global("torch", "device"), {text("cuda"), number(1)}),
                             no()};
  CHECK(entries(call(global("torch._tensor", "_rebuild_from_type_v2"),
                     {
                         rebuild("_rebuild_wrapper_subclass"), global("__main__", "Sub"),
                         tuple(wrapper), dict({{text("inner"), plain()}}
                          )
  })) ==
        Lines{": subclass float32 [4] stride [1] on cuda:1 type __main__.Sub",
              "~state/inner: tensor float32 [2, 3] stride [3, 1]"});
}

TEST_CASE("tensors of other devices") {
  const Fragment array =
      call(global("numpy._core.numeric", "_frombuffer"),
           {fragment(pickle().binbytes("12345678")),
            call(global("numpy", "dtype"), {text("f4"), no(), yes()}), numbers({2}), text("C")});
  CHECK(form(call(rebuild("_rebuild_device_tensor_from_numpy"),
                  {array, global("torch", "float32"), text("xla:0"), no()})) ==
        ": tensor float32 [2] stride [1] on xla:0");
  CHECK(refusal(call(rebuild("_rebuild_xla_tensor"),
                     {none(), global("torch", "float32"), text("xla:0"), no()}))
            .ends_with("data is None, expected a numpy array"));
  const auto from_cpu = [](std::string_view dtype) {
    return call(rebuild("_rebuild_device_tensor_from_cpu_tensor"),
                {plain(), global("torch", dtype), text("xla:0"), no()});
  };
  CHECK(form(from_cpu("float32")) == ": tensor float32 [2, 3] stride [3, 1] on xla:0");
  CHECK(refusal(from_cpu("float64")).ends_with("data of float32 for a tensor of float64"));
}

TEST_CASE("_rebuild_from_type keeps the type and the attributes") {
  const Fragments arguments = tensor_arguments(storage("0", 6), numbers({6}), numbers({1}));
  const auto of_type = [&](const Fragment& type) {
    return call(
        global("torch._tensor", "_rebuild_from_type_v2"),
        {
            rebuild("_rebuild_tensor_v2"), type, tuple(arguments), dict({{text("x"), number(1)}}
               )
    });
  };
  CHECK(entries(of_type(global("torch", "Tensor"))) ==
        Lines{": tensor float32 [6] stride [1]", "~state/x: int"});
  CHECK(form(of_type(global("torch.nn.parameter", "Parameter"))) ==
        ": parameter float32 [6] stride [1]");
  CHECK(form(of_type(global("__main__", "Sub"))) ==
        ": subclass float32 [6] stride [1] type __main__.Sub");
}

TEST_CASE("parameters and tensors of the 0.x era") {
  const Fragment state = tuple({yes(), no(), hooks()});
  const Fragment parameter = call(global("torch.nn.parameter", "Parameter"), {plain()});
  CHECK(form(build(parameter, state)) == ": parameter float32 [2, 3] stride [3, 1] grad");
  const Fragment variable = call(global("torch.autograd.variable", "Variable"), {plain()});
  CHECK(form(build(variable, tuple({no(), no(), hooks()}))) ==
        ": tensor float32 [2, 3] stride [3, 1]");
  const Fragment empty = call(global("torch.nn.parameter", "Parameter"), {});
  CHECK(form(build(empty, tuple({plain(), none(), hooks(), yes(), no()}))) ==
        ": parameter float32 [2, 3] stride [3, 1] grad");
  CHECK(
      refusal(build(parameter, tuple({none()}))).ends_with("a state of 1 parts, expected 3 or 5"));
  CHECK(refusal(empty).ends_with("a parameter without data"));

  const Fragment floats = call(global("torch", "FloatTensor"), {});
  CHECK(form(build(floats, tuple({storage("0", 6), number(0), numbers({6}), numbers({1})}))) ==
        ": tensor float32 [6] stride [1]");
  CHECK(refusal(build(floats, tuple({none()}))).ends_with("a state of 1 parts, expected 4"));
  CHECK(form(floats) == ": torch.FloatTensor");
}

TEST_CASE("an unknown rebuild function stays an object, with the tensors below it") {
  CHECK(entries(call(rebuild("_rebuild_future_tensor"), {plain(), number(1)})) ==
        Lines{"0: tensor float32 [2, 3] stride [3, 1]", "1: int"});
}

TEST_CASE("sizes in a list are read with a warning, and a few warnings say where") {
  Fragments tensors;
  for (int i = 0; i < 20; ++i) {
    tensors.push_back(call(rebuild("_rebuild_tensor_v2"),
                           tensor_arguments(storage("0", 6), list({number(6)}), numbers({1}))));
  }
  const Loading loading(list(tensors));
  const Lines warnings = texts(loading.checkpoint.warnings());
  REQUIRE(warnings.size() == 20);
  CHECK(warnings[1] == "p+0x13c: '1': size is a list, torch writes a tuple");
  CHECK(warnings[19].ends_with(": size is a list, torch writes a tuple"));
  CHECK(warnings[19].find("'19'") == std::string::npos);
}

}  // namespace
}  // namespace ptsd::checkpoint
