// SPDX-License-Identifier: Apache-2.0
#include "operation/diff.h"

#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "unit/operation/diff_input.h"

namespace ptsd::operation {
namespace {

using namespace test;
using checkpoint::Lines;
using test::pickle;
using test::tensor;

std::string_view to_string(Aspect aspect) {
  constexpr auto kNames =
      std::to_array<std::string_view>({"kind", "layout", "dtype", "shape", "is_coalesced", "values",
                                       "device", "requires_grad", "stride", "sharing"});
  return kNames[static_cast<std::size_t>(aspect)];
}

// "- path", "+ path", "~ path what", "! path" of other values, and how many are the same.
Lines lines(const Diff& diff) {
  Lines all;
  for (const std::uint32_t number : diff.only_a) {
    all.push_back(fmt::format("- {}", diff.entries_a[number].path));
  }
  for (const std::uint32_t number : diff.only_b) {
    all.push_back(fmt::format("+ {}", diff.entries_b[number].path));
  }
  for (const TensorChange& change : diff.changed) {
    std::vector<std::string_view> aspects;
    for (const Aspect aspect : change.aspects) {
      aspects.push_back(to_string(aspect));
    }
    std::string line =
        fmt::format("~ {} {}", diff.entries_a[change.a].path, fmt::join(aspects, ", "));
    const tensor::Differences& found = change.differences;
    if (found.mismatched > 0) line += fmt::format(" {}/{}", found.mismatched, change.compared);
    if (found.max_abs) line += fmt::format(" {} at {}", found.max_abs->value, found.max_abs->index);
    all.push_back(line);
  }
  for (const ValueChange& change : diff.other_changed) {
    all.push_back(fmt::format("! {}", diff.entries_a[change.a].path));
  }
  all.push_back(fmt::format("{} same", diff.same));
  return all;
}

Lines diff_of(const DiffInput& a, const DiffInput& b, const DiffOptions& options = {}) {
  return lines(diff(a.side(), b.side(), options));
}

Lines diff_of(const Fragment& a, const Fragment& b, const DiffOptions& options = {}) {
  return diff_of(DiffInput(a), DiffInput(b), options);
}

bool same(const Fragment& a, const Fragment& b) {
  return diff_of(dict({
                     {text("x"), a}
  }),
                 dict({{text("x"), b}})) == Lines{"1 same"};
}

Fragment flat(std::string_view key, std::int64_t count) {
  return tensor(storage(key, count), {count}, {1});
}

Fragment ordered_dict(const Pairs& pairs) {
  return set_items(call(global("collections", "OrderedDict"), {}), pairs);
}

Fragment set_of(const Fragments& items) {
  return call(global("builtins", "set"), {list(items)});
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

TEST_CASE("values are equal in type and every part") {
  CHECK(same(number(50), number(50)));
  CHECK_FALSE(same(number(50), number(51)));
  CHECK_FALSE(same(number(1), yes()));
  CHECK_FALSE(same(number(1), floating(1)));
  CHECK_FALSE(same(text("1"), number(1)));
  CHECK_FALSE(same(none(), no()));
  CHECK_FALSE(same(floating(0.0), floating(-0.0)));
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  CHECK(same(floating(kNan), floating(kNan)));
  CHECK(same(global("torch", "float32"), global("torch", "float32")));
  CHECK_FALSE(same(global("torch", "float32"), global("torch", "float16")));
}

TEST_CASE("a dict is a dict in any order and of either class, a list no tuple") {
  const Pairs pairs = {
      {text("a"), number(1)},
      {text("b"), number(2)}
  };
  const Pairs turned = {pairs[1], pairs[0]};
  CHECK(diff_of(dict(pairs), dict(turned)) == Lines{"2 same"});
  CHECK(diff_of(dict(pairs), ordered_dict(turned)) == Lines{"2 same"});
  CHECK(diff_of(list({number(1)}), tuple({number(1)})) == Lines{"! ", "1 same"});
  CHECK(diff_of(dict({
                    {text("x"), list({})}
  }),
                dict({{text("x"), tuple({})}})) == Lines{"! x", "0 same"});
  CHECK(diff_of(dict({
                    {text("x"), list({})}
  }),
                dict({{text("x"), list({})}})) == Lines{"1 same"});
}

TEST_CASE("what a deque or a defaultdict is made with counts") {
  const auto deque = [](const Fragments& args) {
    return fragment(
        pickle().raw(call(global("collections", "deque"), args)).mark().raw(number(1)).appends());
  };
  CHECK(same(deque({list({}), number(3)}), deque({list({}), number(3)})));
  CHECK(same(deque({}), deque({list({}), none()})));
  CHECK_FALSE(same(deque({}), deque({list({}), number(3)})));
  CHECK_FALSE(same(deque({list({}), number(3)}), deque({list({}), number(4)})));
  const auto with_factory = [](const Fragments& args) {
    return set_items(call(global("collections", "defaultdict"), args), {
                                                                           {text("a"), number(1)}
    });
  };
  const Fragment factory = global("builtins", "list");
  CHECK(same(with_factory({factory}), with_factory({factory})));
  CHECK(same(with_factory({
                 factory
  }),
             dict({{text("a"), number(1)}})));
  CHECK_FALSE(same(with_factory({factory}), with_factory({})));
  CHECK_FALSE(same(with_factory({factory}), with_factory({global("builtins", "int")})));
}

TEST_CASE("a frozenset is the same key at every protocol, in any order") {
  const auto keyed = [](const Fragment& key) {
    return dict({
        {key, number(1)}
    });
  };
  const Fragment called = call(global("builtins", "frozenset"), {list({number(2), number(1)})});
  const Fragment built = fragment(pickle().mark().raw(number(1)).raw(number(2)).frozenset());
  CHECK(same(keyed(called), keyed(built)));
  CHECK_FALSE(same(keyed(called), keyed(fragment(pickle().mark().raw(number(1)).frozenset()))));
}

TEST_CASE("keys of one spelling and two types are different keys") {
  const auto with = [](const Fragment& key) {
    return dict({
        {text("state"), dict({{key, number(5)}, {text("b"), number(6)}})}
    });
  };
  CHECK(diff_of(with(number(1)), with(number(1))) == Lines{"2 same"});
  CHECK(diff_of(with(number(1)), with(text("1"))) == Lines{"! state", "2 same"});
  CHECK(diff_of(with(text("True")), with(yes())) == Lines{"! state", "2 same"});
  CHECK(diff_of(with(number(1)), with(text("1")), {.keys_only = true}) == Lines{"2 same"});
  const Fragment more = dict({
      {text("state"),
       dict({{text("0"), number(4)}, {text("b"), number(6)}, {text("1"), number(5)}})}
  });
  CHECK(diff_of(with(text("1")), more) == Lines{"+ state/0", "2 same"});
  CHECK(diff_of(with(number(1)), more) == Lines{"+ state/0", "! state", "2 same"});
}

TEST_CASE("sets are equal in any order") {
  CHECK(same(set_of({number(1), text("a")}), set_of({text("a"), number(1)})));
  CHECK_FALSE(same(set_of({number(1)}), set_of({number(2)})));
  CHECK_FALSE(same(set_of({number(1)}), set_of({number(1), number(2)})));
  CHECK_FALSE(same(set_of({number(1)}), list({number(1)})));
}

TEST_CASE("sets in sets, and in tuples of sets, are equal in any order") {
  const auto frozen = [](const Fragments& items) {
    return call(global("builtins", "frozenset"), {list(items)});
  };
  const auto frozen_4 = [](const Fragments& items) {
    return fragment(pickle().mark().raw(join(items)).frozenset());
  };
  const Fragment one = number(1);
  const Fragment two = number(2);
  CHECK(same(set_of({frozen({one, two}), frozen({two})}),
             set_of({frozen({two}), frozen({two, one})})));
  CHECK(same(set_of({frozen({one, two})}), set_of({frozen_4({two, one})})));
  CHECK(
      same(set_of({tuple({frozen({one, two}), one})}), set_of({tuple({frozen({two, one}), one})})));
  CHECK(same(set_of({frozen({frozen({frozen({one}), two}), one})}),
             set_of({frozen({one, frozen({two, frozen({one})})})})));
  CHECK_FALSE(same(set_of({frozen({one, two})}), set_of({frozen({one, number(3)})})));
  CHECK_FALSE(same(set_of({frozen({one}), two}), set_of({frozen({one, two})})));
  CHECK_FALSE(same(set_of({frozen({})}), set_of({frozen({frozen({})})})));
}

TEST_CASE("sets take time in proportion to their items") {
  std::vector<Fragment> items;
  std::vector<Fragment> backwards;
  for (int i = 0; i < 100'000; ++i) {
    items.push_back(number(1000 + i));
    backwards.push_back(number(100'999 - i));
  }
  CHECK(same(set_of(items), set_of(backwards)));
  backwards.back() = number(7);
  CHECK_FALSE(same(set_of(items), set_of(backwards)));
}

TEST_CASE("a value that many paths lead to is compared once") {
  std::vector<Fragment> items(1000, fragment(pickle().binget(0)));
  items.front() = fragment(pickle().raw(storage("0", 2)).memoize());
  const DiffInput input(list(items), {
                                         {"0", {1, 2}}
  });
  DiffSide side = input.side();
  int opened = 0;
  side.payload.open = [&opened, open = side.payload.open](checkpoint::StorageId id) {
    ++opened;
    return open(id);
  };
  CHECK(lines(diff(side, side, {})) == Lines{"1000 same"});
  CHECK(opened == 2);
}

TEST_CASE("what a protocol of pickle writes in its own way is the same value") {
  const Fragment bytes = fragment(pickle().short_binbytes("ab"));
  const Fragment encoded = call(global("_codecs", "encode"), {text("ab"), text("latin1")});
  CHECK(same(bytes, encoded));
  CHECK(same(encoded, bytes));
  CHECK_FALSE(same(fragment(pickle().short_binbytes("ac")), encoded));
  CHECK_FALSE(same(call(global("builtins", "bytearray"), {bytes}), encoded));
  CHECK(same(call(global("builtins", "bytearray"), {bytes}),
             call(global("builtins", "bytearray"), {text("ab"), text("latin-1")})));
  const Fragment set = fragment(pickle().empty_set().mark().raw(number(1)).additems());
  CHECK(same(set_of({number(1)}), set));
  CHECK_FALSE(same(set_of({number(2)}), set));
  const Fragment frozen = call(global("builtins", "frozenset"), {list({number(1)})});
  CHECK_FALSE(same(frozen, set));
}

Fragment bytes_object(std::string_view bytes) {
  return fragment(pickle().short_binbytes(bytes));
}

Fragment numpy_dtype(std::string_view code, std::string_view order = "<") {
  return build(
      call(global("numpy", "dtype"), {text(code), no(), yes()}),
      tuple({number(3), text(order), none(), none(), none(), number(-1), number(-1), number(0)}));
}

// As numpy 1 does up to protocol 4.
Fragment reconstructed(const Fragment& dtype, const std::vector<std::int64_t>& shape,
                       const Fragment& data, bool fortran = false) {
  return build(call(global("numpy.core.multiarray", "_reconstruct"),
                    {global("numpy", "ndarray"), numbers({0}), bytes_object("b")}),
               tuple({number(1), numbers(shape), dtype, fortran ? yes() : no(), data}));
}

TEST_CASE("numpy's arrays are equal by dtype, shape and elements, whoever wrote them") {
  const Fragment byte = numpy_dtype("u1", "|");
  const auto from_buffer = [&](const std::vector<std::int64_t>& shape, const Fragment& data,
                               std::string_view order) {
    return call(global("numpy._core.numeric", "_frombuffer"),
                {data, byte, numbers(shape), text(order)});
  };
  const Fragment array = reconstructed(byte, {2, 3}, bytes_object("abcdef"));
  const Fragment of_bytearray = call(global("builtins", "bytearray"), {bytes_object("abcdef")});
  CHECK(same(array, from_buffer({2, 3}, of_bytearray, "C")));
  CHECK(same(array, from_buffer({2, 3}, bytes_object("adbecf"), "F")));
  CHECK(same(array, reconstructed(byte, {2, 3}, bytes_object("adbecf"), true)));
  CHECK_FALSE(same(array, from_buffer({2, 3}, bytes_object("abcdef"), "F")));
  CHECK_FALSE(same(array, from_buffer({3, 2}, bytes_object("abcdef"), "C")));
  CHECK_FALSE(same(array, reconstructed(numpy_dtype("i1", "|"), {2, 3}, bytes_object("abcdef"))));
  CHECK_FALSE(same(reconstructed(numpy_dtype("i2"), {1}, bytes_object("ab")),
                   reconstructed(numpy_dtype("i2", ">"), {1}, bytes_object("ab"))));
}

TEST_CASE("numpy's scalars are equal by dtype and bytes, whoever wrote them") {
  const auto scalar = [](std::string_view module, std::string_view code, const Fragment& bytes) {
    return call(global(module, "scalar"), {numpy_dtype(code), bytes});
  };
  const Fragment old = scalar("numpy.core.multiarray", "i2",
                              call(global("_codecs", "encode"), {text("ab"), text("latin1")}));
  CHECK(same(old, scalar("numpy._core.multiarray", "i2", bytes_object("ab"))));
  CHECK_FALSE(same(old, scalar("numpy._core.multiarray", "u2", bytes_object("ab"))));
  CHECK_FALSE(same(old, scalar("numpy._core.multiarray", "i2", bytes_object("ac"))));
}

TEST_CASE("objects of unknown classes are equal in class and state") {
  const auto config = [](std::string_view name, std::int64_t value) {
    return dict({
        {text("x"), object(name, dict({{text("size"), number(value)}}))}
    });
  };
  CHECK(diff_of(config("Config", 1), config("Config", 1)) == Lines{"1 same"});
  CHECK(diff_of(config("Config", 1), config("Config", 2)) == Lines{"! x/size", "0 same"});
  CHECK(diff_of(config("Config", 1), config("Other", 1)) == Lines{"! x", "1 same"});
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
