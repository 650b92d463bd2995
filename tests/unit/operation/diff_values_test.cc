// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "operation/diff.h"
#include "unit/operation/diff_lines.h"

namespace ptsd::operation {
namespace {

using namespace test;
using test::pickle;

bool same(const Fragment& a, const Fragment& b) {
  return diff_of(dict({
                     {text("x"), a}
  }),
                 dict({{text("x"), b}})) == Lines{"1 same"};
}

Fragment ordered_dict(const Pairs& pairs) {
  return set_items(call(global("collections", "OrderedDict"), {}), pairs);
}

Fragment set_of(const Fragments& items) {
  return call(global("builtins", "set"), {list(items)});
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

}  // namespace
}  // namespace ptsd::operation
