// SPDX-License-Identifier: Apache-2.0
#include "report/tensor_repr.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <span>
#include <string>

#include "operation/slice.h"
#include "unit/checkpoint/loading.h"

namespace ptsd::report {
namespace {

using namespace test;
using checkpoint::Loading;
using test::list;
using test::pickle;
using test::tensor;

using Storages = std::map<std::string, std::vector<std::byte>, std::less<>>;

template <class T>
std::vector<std::byte> bytes(const std::vector<T>& values) {
  const auto raw = std::as_bytes(std::span(values));
  return {raw.begin(), raw.end()};
}

std::vector<std::byte> count_up(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 0.0f);
  return bytes(values);
}

struct Printing {
  Printing(const Fragment& root, Storages contents, const Limits& limits = {})
      : loading(root, limits), storages(std::move(contents)) {}

  std::string print(const ReprStyle& style = {}) const {
    std::string text;
    ReprSink sink([&](std::string_view piece) { text += piece; });
    write_repr(sink, payload(), id(), style);
    return text;
  }

  std::string slice(std::string_view index) const {
    const checkpoint::Tensors& tensors = loading.checkpoint.tensors();
    require_strided(payload(), tensors[id()], "w");
    const operation::View view =
        operation::slice(index, checkpoint::geometry_of(tensors, tensors[id()]));
    return print({.view = &view});
  }

  operation::Payload payload() const {
    return {loading.checkpoint, [this](checkpoint::StorageId id) -> std::unique_ptr<ByteSource> {
              const checkpoint::Checkpoint& checkpoint = loading.checkpoint;
              const auto found = storages.find(checkpoint.key(checkpoint.tensors()[id]));
              REQUIRE(found != storages.end());
              return std::make_unique<MemorySource>("storage", found->second);
            }};
  }

  checkpoint::TensorId id() const {
    return *loading.checkpoint.tensors().tensor_of(loading.checkpoint.root());
  }

  Loading loading;
  Storages storages;
};

std::string refusal(const Printing& printing) {
  try {
    return "not refused: " + printing.print();
  } catch (const Error& error) {
    return error.message();
  }
}

Fragment longs(std::string_view key, const std::vector<std::int64_t>& size,
               const std::vector<std::int64_t>& stride) {
  std::int64_t count = 1;
  for (const std::int64_t one : size) {
    count *= one;
  }
  return tensor(storage(key, count, "LongStorage"), size, stride);
}

TEST_CASE("brackets nest, and rows of more than two dimensions are set apart") {
  const Printing cube(tensor(storage("0", 8),
                             {
                                 2, 2, 2
  },
                             {4, 2, 1}),
                      {{"0", count_up(8)}});
  CHECK(cube.print() ==
        "tensor([[[0., 1.],\n         [2., 3.]],\n\n        [[4., 5.],\n         [6., 7.]]])");
  CHECK(Printing(tensor(storage("0", 1),
                        {
  },
                        {}),
                 {{"0", count_up(1)}})
            .print() == "tensor(0.)");
}

TEST_CASE("strides and offsets are those of the tensor") {
  const Printing turned(tensor(storage("0", 8),
                               {
                                   3, 2
  },
                               {1, 3}, 2),
                        {{"0", count_up(8)}});
  CHECK(turned.print() == "tensor([[2., 5.],\n        [3., 6.],\n        [4., 7.]])");
  CHECK(turned.slice("1:, 0") == "tensor([3., 4.])");
}

TEST_CASE("long rows are broken, large tensors summed up") {
  const Printing row(tensor(storage("0", 30),
                            {
                                30
  },
                            {1}),
                     {{"0", count_up(30)}});
  CHECK(row.print().find("13.,\n        14.") != std::string::npos);
  const Printing large(tensor(storage("0", 1001),
                              {
                                  1001
  },
                              {1}),
                       {{"0", count_up(1001)}});
  CHECK(large.print() == "tensor([   0.,    1.,    2.,  ...,  998.,  999., 1000.])");
  const std::string full = large.print({.full = true});
  CHECK(std::ranges::count(full, ',') == 1000);
  CHECK(full.find("...") == std::string::npos);
  const Printing rows(tensor(storage("0", 1400),
                             {
                                 700, 2
  },
                             {2, 1}),
                      {{"0", count_up(1400)}});
  CHECK(rows.print().find("5.0000e+00],\n        ...,\n        [1.3940e+03") != std::string::npos);
}

// Zeros, of which only the first and the last few can be read.
class EdgesSource final : public ByteSource {
 public:
  explicit EdgesSource(std::uint64_t size) : size_(size) {}

  using ByteSource::read;
  const std::string& name() const override { return name_; }
  std::uint64_t size() const override { return size_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    constexpr std::uint64_t kEdge = 64;
    CHECK((offset + out.size() <= kEdge || offset >= size_ - kEdge));
    std::ranges::fill(out, std::byte{0});
  }

 private:
  std::string name_ = "edges";
  std::uint64_t size_;
};

TEST_CASE("a summary reads nothing but the corners") {
  constexpr std::int64_t kCount = std::int64_t{1} << 40;
  const Printing vast(tensor(storage("0", kCount), {kCount}, {1}), {});
  operation::Payload payload = vast.payload();
  payload.open = [](checkpoint::StorageId) -> std::unique_ptr<ByteSource> {
    return std::make_unique<EdgesSource>(std::uint64_t{kCount} * 4);
  };
  std::string text;
  ReprSink sink([&](std::string_view piece) { text += piece; });
  write_repr(sink, payload, vast.id(), {});
  CHECK(text == "tensor([0., 0., 0.,  ..., 0., 0., 0.])");
}

TEST_CASE("a summary of many small dimensions is bounded") {
  const std::vector<std::int64_t> size(40, 2);
  const std::vector<std::int64_t> stride(40, 0);
  const Printing many(tensor(storage("0", 1), size, stride), {
                                                                 {"0", count_up(1)}
  });
  CHECK(refusal(many) == "a summary of more than 10000000 elements (--limit entries=N)");
}

TEST_CASE("empty tensors say their size and dtype") {
  const auto empty = [](const std::vector<std::int64_t>& size, std::string_view type) {
    return Printing(tensor(storage("0", 0, type), size, std::vector<std::int64_t>(size.size(), 1)),
                    {})
        .print();
  };
  CHECK(empty({0}, "FloatStorage") == "tensor([])");
  CHECK(empty({0}, "LongStorage") == "tensor([], dtype=torch.int64)");
  CHECK(empty({2, 0}, "FloatStorage") == "tensor([], size=(2, 0))");
}

TEST_CASE("a parameter says so, a slice of it is a tensor") {
  const Printing parameter(call(rebuild("_rebuild_parameter"),
                                {
                                    tensor(storage("0", 3), {3},
                                      {1}
                                      ), yes(), hooks()
  }),
                           {{"0", count_up(3)}});
  CHECK(parameter.print() == "Parameter containing:\ntensor([0., 1., 2.], requires_grad=True)");
  CHECK(parameter.slice("1") == "tensor(1.)");
}

TEST_CASE("integers of a quantised tensor are printed as what they stand for") {
  const auto quantised = [](const Fragment& params) {
    return Printing(call(rebuild("_rebuild_qtensor"),
                         {
                             storage("0", 4, "QInt8Storage"), number(0), numbers({2, 2}
                                 ),
                             numbers({2, 1}
                                 ), params, no(), hooks()
    }),
                    {{"0", bytes<std::int8_t>({-1, 0, 1, 2})},
                     {"s", bytes<double>({0.5, 2})},
                     {"z", bytes<std::int64_t>({0, 1})},
                     {"f", bytes<float>({0.5f, 0})}});
  };
  const auto scheme = [](std::string_view name) { return global("torch", name); };
  CHECK(quantised(tuple({scheme("per_tensor_affine"), floating(0.5), number(-1)})).print() ==
        "tensor([[0.0000, 0.5000],\n        [1.0000, 1.5000]], size=(2, 2), dtype=torch.qint8,\n"
        "       quantization_scheme=torch.per_tensor_affine, scale=0.5, zero_point=-1)");
  const Fragment scales = tensor(storage("s", 2, "DoubleStorage"), {2}, {1});
  const Printing channels =
      quantised(tuple({scheme("per_channel_affine"), scales, longs("z", {2}, {1}), number(1)}));
  CHECK(channels.print() ==
        "tensor([[-0.5000, -2.0000],\n        [ 0.5000,  2.0000]], size=(2, 2), "
        "dtype=torch.qint8,\n       quantization_scheme=torch.per_channel_affine,\n"
        "       scale=tensor([0.5000, 2.0000], dtype=torch.float64),\n"
        "       zero_point=tensor([0, 1]), axis=1)");
  CHECK_THROWS_AS(channels.slice("0"), Error);
  // The zero points decide about the scheme.
  CHECK(quantised(tuple({scheme("per_channel_affine"), scales, tensor(storage("f", 2), {2}, {1}),
                         number(0)}))
            .print()
            .find("scheme=torch.per_channel_affine_float_qparams") != std::string::npos);
  CHECK(refusal(quantised(tuple({scheme("per_tensor_affine"), number(1), number(0)}))) ==
        "quantised tensor: the scale is no float, or the zero point no int");
  CHECK(refusal(quantised(tuple({scheme("per_channel_affine"), scales, longs("z", {2}, {1}),
                                 number(2)}))) == "quantised tensor: no dimension is its axis 2");
  CHECK(refusal(quantised(
            tuple({scheme("per_channel_affine"), scales, longs("z", {1}, {1}), number(0)}))) ==
        "parameters of a quantised tensor are no tensor of its 2 channels");
}

TEST_CASE("nested tensors are views of their buffer, and must lie in it") {
  const auto nested = [](std::vector<std::int64_t> sizes, std::vector<std::int64_t> offsets) {
    return Printing(call(rebuild("_rebuild_nested_tensor"),
                         {
                             tensor(storage("0", 5), {5 },
                               {1 }
                               ), longs("n", {2,  1},
                               {1,  1}
                               ),
                             longs("t", {2,1},
                               {1,  1}
                               ), longs("o", {2 },
                               {1}
                               )
    }),
                    {{"0", count_up(5)},
                     {"n", bytes(sizes)},
                     {"t", bytes<std::int64_t>({1, 1})},
                     {"o", bytes(offsets)}});
  };
  CHECK(nested({2, 3}, {0, 2}).print() ==
        "nested_tensor([\n  tensor([0., 1.]),\n  tensor([2., 3., 4.])\n])");
  CHECK(refusal(nested({2, 4}, {0, 2})) == "a tensor in a nested one does not lie in its buffer");
  CHECK(refusal(nested({2, -1}, {0, 2})) ==
        "a size, stride or offset in a nested tensor is negative");
}

}  // namespace
}  // namespace ptsd::report
