// SPDX-License-Identifier: Apache-2.0
#include "operation/diff.h"

#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "unit/operation/diff_lines.h"

namespace ptsd::operation {
namespace {

using namespace test;
using checkpoint::Lines;
using test::pickle;
using test::tensor;

Fragment flat(std::string_view key, std::int64_t count) {
  return tensor(storage(key, count), {count}, {1});
}

TEST_CASE("names that only one has are told, in the order of the file") {
  const Fragment a = dict({
      {text("z"), number(1)},
      {text("b"), number(2)},
      {text("c"), number(3)}
  });
  const Fragment b = dict({
      {text("y"), number(1)},
      {text("c"), number(3)},
      {text("a"), number(2)}
  });
  CHECK(diff_of(a, b) == Lines{"- z", "- b", "+ y", "+ a", "1 same"});
  CHECK(diff_of(a, b, {.ignore_missing = true}) == Lines{"1 same"});
  CHECK(diff_of(a, b, {.keys_only = true}) == Lines{"- z", "- b", "+ y", "+ a", "1 same"});
}

TEST_CASE("a container that one has stands for nothing but what it holds") {
  const Fragment a = dict({
      {text("x"), dict({{text("y"), number(1)}, {text("z"), list({})}})}
  });
  CHECK(diff_of(a, dict({
                       {text("q"), none()}
  })) == Lines{"- x/y", "- x/z", "+ q", "0 same"});
}

TEST_CASE("a tensor beside another value is a change of that value") {
  const DiffInput a(dict({
                        {text("x"), flat("0", 2)}
  }),
                    {{"0", {1, 2}}});
  const DiffInput b(dict({
      {text("x"), list({number(1)})}
  }));
  CHECK(diff_of(a, b) == Lines{"+ x/0", "! x", "0 same"});
  CHECK(diff_of(b, a) == Lines{"- x/0", "! x", "0 same"});
}

TEST_CASE("a list that became longer has items of its own") {
  const Fragment a = dict({
      {text("x"), list({number(1)})}
  });
  const Fragment b = dict({
      {text("x"), list({number(1), number(2)})}
  });
  CHECK(diff_of(a, b) == Lines{"+ x/1", "1 same"});
}

TEST_CASE("elements that differ are counted, with the largest difference") {
  const Fragment root = dict({
      {text("v"), flat("0", 3)},
      {text("w"), flat("1", 3)}
  });
  const DiffInput a(root, {
                              {"0", {1, 2, 3}},
                              {"1", {4, 5, 6}}
  });
  const DiffInput b(root, {
                              {"0", {1, 2, 3}},
                              {"1", {4, 8, 7}}
  });
  CHECK(diff_of(a, b) == Lines{"~ w values 2/3 3 at 1", "1 same"});
  CHECK(diff_of(a, b, {.keys_only = true}) == Lines{"2 same"});
  CHECK(diff_of(a, b, {.rules = {.tolerance = {0, 2}}}) ==
        Lines{"~ w values 1/3 3 at 1", "1 same"});
  CHECK(diff_of(a, b, {.rules = {.tolerance = {0.5, 0}}}) == Lines{"2 same"});
}

TEST_CASE("shape and dtype are looked at before the values") {
  const DiffInput a(dict({
                        {text("w"), tensor(storage("0", 6), {2, 3}, {3, 1})}
  }),
                    {{"0", {1, 2, 3, 4, 5, 6}}});
  const DiffInput b(dict({
                        {text("w"), tensor(storage("0", 6), {3, 2}, {2, 1})}
  }),
                    {{"0", {1, 2, 3, 4, 5, 6}}});
  CHECK(diff_of(a, b) == Lines{"~ w shape", "0 same"});
  // The same bytes as integers.
  const DiffInput c(dict({
                        {text("w"), tensor(storage("0", 6, "IntStorage"), {2, 3}, {3, 1})}
  }),
                    {{"0", {0, 0, 0, 0, 0, 0}}});
  CHECK(diff_of(a, c) == Lines{"~ w dtype", "0 same"});
  CHECK(diff_of(b, c) == Lines{"~ w dtype, shape", "0 same"});
  CHECK(diff_of(a, c, {.ignore_dtype = true}) == Lines{"~ w values 6/6 6 at 5", "0 same"});
  const DiffInput zeros(dict({
                            {text("w"), tensor(storage("0", 6), {2, 3}, {3, 1})}
  }),
                        {{"0", {0, 0, 0, 0, 0, -0.0F}}});
  CHECK(diff_of(zeros, c, {.ignore_dtype = true}) == Lines{"1 same"});
}

TEST_CASE("views are compared by what they show") {
  // [[1, 2], [3, 4]], once as the transpose of another storage, once within a larger one.
  const DiffInput a(dict({
                        {text("w"), tensor(storage("0", 4), {2, 2}, {1, 2})}
  }),
                    {{"0", {1, 3, 2, 4}}});
  const DiffInput b(dict({
                        {text("w"), tensor(storage("0", 7), {2, 2}, {3, 1}, 1)}
  }),
                    {{"0", {9, 1, 2, 9, 3, 4, 9}}});
  CHECK(diff_of(a, b) == Lines{"1 same"});
  const DiffInput c(dict({
                        {text("w"), tensor(storage("0", 7), {2, 2}, {3, 1}, 1)}
  }),
                    {{"0", {9, 1, 2, 9, 5, 4, 9}}});
  CHECK(diff_of(a, c) == Lines{"~ w values 1/4 2 at 2", "0 same"});
  // Overlapping: [[1, 2], [2, 3]].
  const DiffInput d(dict({
                        {text("w"), tensor(storage("0", 3), {2, 2}, {1, 1})}
  }),
                    {{"0", {1, 2, 3}}});
  CHECK(diff_of(a, d) == Lines{"~ w values 2/4 1 at 2", "0 same"});
}

TEST_CASE("layout counts if it is asked for") {
  const Numbers numbers = {
      {"0", {1, 2, 2, 1}}
  };
  const auto view = [&](const std::vector<std::int64_t>& stride) {
    return DiffInput(dict({
                         {text("w"), tensor(storage("0", 4), {2, 2}, stride)}
    }),
                     numbers);
  };
  CHECK(diff_of(view({2, 1}), view({1, 2})) == Lines{"1 same"});
  CHECK(diff_of(view({2, 1}), view({1, 2}), {.strict_layout = true}) ==
        Lines{"~ w stride", "0 same"});
  const Fragment trained = call(rebuild("_rebuild_parameter"),
                                {tensor(storage("0", 4), {2, 2}, {2, 1}), yes(), hooks()});
  const DiffInput parameter(dict({
                                {text("w"), trained}
  }),
                            numbers);
  CHECK(diff_of(view({2, 1}), parameter) == Lines{"1 same"});
  CHECK(diff_of(view({2, 1}), parameter, {.strict_layout = true}) ==
        Lines{"~ w kind, requires_grad", "0 same"});
}

TEST_CASE("whether tensors share a storage counts with the layout") {
  const DiffInput tied(dict({
                           {text("v"), flat("0", 2)},
                           {text("w"), flat("0", 2)}
  }),
                       {{"0", {1, 2}}});
  const DiffInput apart(dict({
                            {text("v"), flat("0", 2)},
                            {text("w"), flat("1", 2)}
  }),
                        {{"0", {1, 2}}, {"1", {1, 2}}});
  CHECK(diff_of(tied, apart) == Lines{"2 same"});
  CHECK(diff_of(tied, apart, {.strict_layout = true}) == Lines{"~ w sharing", "1 same"});
  CHECK(diff_of(tied, tied, {.strict_layout = true}) == Lines{"2 same"});
}

TEST_CASE("one object under two names is compared once and told twice") {
  const Fragment root = dict({
      {text("v"), flat("0", 2) + put(9)},
      {text("w"),         get(9)        }
  });
  const DiffInput a(root, {
                              {"0", {1, 2}}
  });
  const DiffInput b(root, {
                              {"0", {1, 4}}
  });
  CHECK(diff_of(a, b) == Lines{"~ v values 1/2 2 at 1", "~ w values 1/2 2 at 1", "0 same"});
  CHECK(a.checked.at("0") == 1);
}

TEST_CASE("sparse tensors are compared by their parts, places exactly") {
  const auto sparse = [] {
    return call(rebuild("_rebuild_sparse_tensor"),
                {call(global("torch.serialization", "_get_layout"), {text("torch.sparse_coo")}),
                 tuple({tensor(storage("i", 2), {1, 2}, {2, 1}), flat("v", 2), numbers({90})})});
  };
  const auto input = [&](const std::vector<float>& places, const std::vector<float>& values) {
    return DiffInput(dict({
                         {text("w"), sparse()}
    }),
                     {{"i", places}, {"v", values}});
  };
  const DiffInput a = input({10, 80}, {1, 2});
  CHECK(diff_of(a, input({10, 80}, {1, 2})) == Lines{"1 same"});
  CHECK(diff_of(a, input({10, 80}, {1, 3})) == Lines{"~ w values 1/4 1 at 1", "0 same"});
  CHECK(diff_of(a, input({10, 81}, {1, 2})) == Lines{"~ w values 1/4 1 at 1", "0 same"});
  const DiffOptions tolerant = {.rules = {.tolerance = {0.5, 0}}};
  CHECK(diff_of(a, input({10, 80}, {1, 3}), tolerant) == Lines{"1 same"});
  CHECK(diff_of(a, input({10, 81}, {1, 2}), tolerant) == Lines{"~ w values 1/4 1 at 1", "0 same"});
}

Fragment sparse_data(std::string_view function, std::string_view layout, const Fragments& data) {
  return call(rebuild(function),
              {call(global("torch.serialization", "_get_layout"), {text(layout)}), tuple(data)});
}

TEST_CASE("a sparse tensor is one whichever torch wrote it") {
  const auto input = [](std::string_view function, const Fragments& more,
                        std::string_view type = "FloatStorage") {
    Fragments data = {tensor(storage("i", 2), {1, 2}, {2, 1}),
                      tensor(storage("v", 2, type), {2}, {1}), numbers({90})};
    data.insert(data.end(), more.begin(), more.end());
    return DiffInput(dict({
                         {text("w"), sparse_data(function, "torch.sparse_coo", data)}
    }),
                     {{"i", {1, 2}}, {"v", {0, 0}}});
  };
  const DiffInput old = input("_rebuild_sparse_csr_tensor", {});
  const DiffInput coalesced = input("_rebuild_sparse_tensor", {yes()});
  CHECK(diff_of(old, coalesced) == Lines{"1 same"});
  CHECK(diff_of(coalesced, input("_rebuild_sparse_tensor", {no()})) ==
        Lines{"~ w is_coalesced", "0 same"});
  const DiffInput halves = input("_rebuild_sparse_tensor", {yes()}, "HalfStorage");
  CHECK(diff_of(coalesced, halves) == Lines{"~ w dtype", "0 same"});
  CHECK(diff_of(coalesced, halves, {.ignore_dtype = true}) == Lines{"1 same"});
}

TEST_CASE("sparse tensors of two layouts differ in layout") {
  const auto input = [](std::string_view layout) {
    const Fragment indices = tensor(storage("i", 3), {3}, {1});
    return DiffInput(dict({
                         {text("w"), sparse_data("_rebuild_sparse_csr_tensor", layout,
                          {indices, tensor(storage("j", 2), {2}, {1}),
                                                  flat("v", 2), numbers({2, 2})})}
    }),
                     {{"i", {0, 1, 2}}, {"j", {0, 1}}, {"v", {1, 1}}});
  };
  CHECK(diff_of(input("torch.sparse_csr"), input("torch.sparse_csc")) ==
        Lines{"~ w layout", "0 same"});
}

TEST_CASE("only what is selected takes part") {
  const Fragment root = dict({
      {text("v"), flat("0", 2)},
      {text("w"), flat("1", 2)}
  });
  const DiffInput a(root, {
                              {"0", {1, 2}},
                              {"1", {1, 2}}
  });
  const DiffInput b(root, {
                              {"0", {3, 2}},
                              {"1", {3, 2}}
  });
  DiffOptions options;
  options.selects = [](const auto&, const checkpoint::Entry& entry) { return entry.path == "w"; };
  CHECK(diff_of(a, b, options) == Lines{"~ w values 1/2 2 at 0", "0 same"});
  CHECK(a.checked.count("0") == 0);
}

TEST_CASE("a record whose CRC is wrong is an error, even if the tensors are equal") {
  const Fragment root = dict({
      {text("v"), flat("0", 2)},
      {text("w"), flat("1", 2)}
  });
  const Numbers numbers = {
      {"0", {1, 2}},
      {"1", {1, 2}}
  };
  const DiffInput a(root, numbers);
  DiffInput b(root, numbers);
  b.damaged = "1";
  CHECK_THROWS_WITH_AS(diff_of(a, b), "the CRC of 1", Error);
  CHECK_THROWS_WITH_AS(diff_of(b, a, {.first_only = true}), "the CRC of 1", Error);
  CHECK(diff_of(a, b, {.keys_only = true}) == Lines{"2 same"});
  // Of a part of a storage, too.
  const auto part = [](const Numbers& all) {
    return DiffInput(dict({
                         {text("w"), tensor(storage("1", 2), {1}, {1})}
    }),
                     all);
  };
  DiffInput c = part({
      {"1", {1, 2}}
  });
  c.damaged = "1";
  CHECK_THROWS_WITH_AS(diff_of(part({
                                   {"1", {1, 3}}
  }),
                               c),
                       "the CRC of 1", Error);
}

TEST_CASE("the first difference is enough, and what is not read is not checked") {
  const Fragment root = dict({
      {text("v"), flat("0", 2)},
      {text("w"), flat("1", 2)}
  });
  const DiffInput a(root, {
                              {"0", {1, 2}},
                              {"1", {1, 2}}
  });
  DiffInput b(root, {
                        {"0", {7, 2}},
                        {"1", {1, 2}}
  });
  b.damaged = "1";
  CHECK_FALSE(diff(a.side(), b.side(), {.first_only = true}).equal());
  CHECK(b.checked.empty());
  CHECK_THROWS_AS(diff_of(a, b), Error);
  // Names and other values come before any tensor.
  const DiffInput c(dict({
                        {text("v"), flat("0", 2)},
                        {text("x"),         none()        }
  }),
                    {{"0", {1, 2}}});
  const DiffInput d(dict({
                        {text("v"), flat("0", 2)},
                        {text("x"),         yes()        }
  }),
                    {{"0", {1, 2}}});
  CHECK_FALSE(diff(c.side(), d.side(), {.first_only = true}).equal());
  CHECK(c.checked.empty());
  CHECK(diff(a.side(), a.side(), {.first_only = true}).equal());
}

TEST_CASE("what is found does not depend on the number of threads") {
  const Fragment root = dict({
      {text("w"), flat("0", 3'000'000)}
  });
  std::vector<float> numbers(3'000'000, 1.0F);
  const DiffInput a(root, {
                              {"0", numbers}
  });
  numbers[2'000'000] = numbers[1'500'000] = 2;
  const DiffInput b(root, {
                              {"0", numbers}
  });
  for (const unsigned threads : {1U, 2U, 5U}) {
    CHECK(diff_of(a, b, {.threads = threads}) ==
          Lines{"~ w values 2/3000000 1 at 1500000", "0 same"});
  }
}

}  // namespace
}  // namespace ptsd::operation
