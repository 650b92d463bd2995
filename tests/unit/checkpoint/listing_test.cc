// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/children.h"
#include "checkpoint/locate.h"
#include "checkpoint/resolve.h"
#include "unit/checkpoint/loading.h"

namespace ptsd::checkpoint {
namespace {

using namespace test;
using test::list;
using test::pickle;
using test::tensor;

Lines listing_warnings(const Fragment& root) {
  const Loading loading(root);
  return texts(list(loading.checkpoint, loading.checkpoint.root(), Want::Everything).warnings());
}

std::size_t entry_count(const Checkpoint& checkpoint) {
  const Listing listing = list(checkpoint, checkpoint.root(), Want::Everything);
  return listing.tensors().size() + listing.others().size();
}

// Lists in lists, each holding the one inside `width` times.
Fragment laughs(int depth, int width) {
  Fragment inner = number(1);
  for (int i = 0; i < depth; ++i) {
    Fragments items = {inner + put(1)};
    for (int j = 1; j < width; ++j) {
      items.push_back(get(1));
    }
    inner = list(items);
  }
  return inner;
}

TEST_CASE("keys are joined by slashes, with ~ and / in them escaped") {
  CHECK(entries(dict({
            {text("a"),     dict({{text("b.c"), number(300)}})},
            {text("x/y~z"), number(300)                       },
            {text(""),      list({number(300)})               }
  })) == Lines{"a/b.c: int", "x~1y~0z: int", "/0: int"});
}

TEST_CASE("an int and a str that look the same have two paths") {
  CHECK(entries(dict({
            {number(1), none()},
            {text("1"), none()}
  })) == Lines{"1: NoneType", "'1': NoneType"});
}

TEST_CASE("of a key that stands twice the last value counts, with a warning") {
  const Fragment twice = dict({
      {text("a"), none()},
      {text("b"), none()},
      {text("a"), yes() }
  });
  CHECK(entries(twice) == Lines{"a: bool", "b: NoneType"});
  CHECK(listing_warnings(twice) ==
        Lines{"p+0x10: '': key 'a' stands more than once, the last value counts"});
  CHECK(listing_warnings(list({twice + put(1), get(1), get(1)})).size() == 1);
}

TEST_CASE("a container that is shared is listed below each of its keys") {
  CHECK(entries(dict({
            {text("a"), dict({{text("w"), scalar_tensor("0")}}) + put(1)},
            {text("b"), get(1)                                          }
  })) ==
        Lines{"a/w: tensor float32 []", "b/w: tensor float32 []"});
}

TEST_CASE("a cycle is shown and not followed") {
  const Fragment dict_in_itself =
      fragment(pickle().empty_dict()) + put(1) +
      fragment(pickle().mark().binunicode("self").raw(get(1)).setitems());
  CHECK(entries(dict_in_itself) == Lines{"self: dict (cycle)"});
  const Fragment two = fragment(pickle().empty_list()) + put(1) +
                       list({get(1), scalar_tensor("0")}) + fragment(pickle().append());
  CHECK(entries(two) == Lines{"0/1: tensor float32 []", "0/0: list (cycle)"});
}

TEST_CASE("containers deeper than the limit are refused") {
  CHECK(entry_count(Loading(laughs(1000, 1)).checkpoint) == 1);
  CHECK(refusal(laughs(1001, 1))
            .ends_with(": containers nested deeper than 1000 (--limit "
                       "depth=N)"));
  CHECK(refusal(laughs(3, 1), {.depth = 2}) ==
        "p+0x12: '0/0': containers nested deeper than 2 (--limit depth=N)");
}

TEST_CASE("a million containers deep is no trouble to read or to forget") {
  CHECK(
      refusal(fragment(
                  pickle().raw(std::string(1'000'000, '(') + "N").raw(std::string(1'000'000, 't'))))
          .ends_with(": containers nested deeper than 1000 (--limit depth=N)"));
}

TEST_CASE("10^9 paths end at the limit") {
  CHECK(refusal(laughs(30, 10), {.entries = 100'000})
            .ends_with(": more than 100000 values on all paths from the root (--limit "
                       "entries=N)"));
}

TEST_CASE("a long key in a great many paths ends at the limit") {
  const Fragment inner = dict({
      {text(std::string(100'000, 'k')), laughs(3, 10)}
  });
  CHECK(refusal(inner, {.entries = 10'000})
            .ends_with(": paths of more than 10000 times 128 bytes (--limit entries=N)"));
}

TEST_CASE("values that do not count cost as much as those that do") {
  const Fragment repeated = dict(Pairs(1000, {text("k"), none()})) + put(1);
  Fragments items(1000, get(1));
  items[0] = repeated;
  CHECK(refusal(list(items), {.entries = 100'000})
            .ends_with(": more than 100000 values on all paths from the root (--limit "
                       "entries=N)"));
}

TEST_CASE("keys whose hashes clash are told apart in no time") {
  // The table multiplies by this number and looks at the upper bits; undone here.
  constexpr std::uint64_t kFactor = 0x9E3779B97F4A7C15u;
  std::uint64_t inverse = kFactor;
  for (int i = 0; i < 6; ++i) {
    inverse *= 2 - kFactor * inverse;
  }
  PickleAssembler stream;
  stream.empty_dict().mark();
  constexpr std::uint64_t kCount = 100'000;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    stream.raw(number(static_cast<std::int64_t>(inverse * i - 1))).none();
  }
  stream.raw(number(-1)).newtrue().setitems();
  const Loading loading(fragment(stream));
  const Children children = children_of(loading.checkpoint.names(), loading.checkpoint.root());
  CHECK(children.list.size() == kCount);
  CHECK(loading.checkpoint.graph().kind(children.list[0].value) == pickle::Kind::True);
}

TEST_CASE("an OrderedDict of Python 2 is made from pairs") {
  const auto pair = [](std::string_view key, const Fragment& value) {
    return list({text(key), value});
  };
  CHECK(entries(call(global("collections", "OrderedDict"),
                     {list({pair("b", none()), pair("a", scalar_tensor("0"))})})) ==
        Lines{"a: tensor float32 []", "b: NoneType"});
}

TEST_CASE("an object is its arguments, items and state, and each has a path of its own") {
  const Fragment made = call(global("m", "C"), {none()});
  CHECK(entries(made) == Lines{"0: NoneType"});
  CHECK(entries(build(made, dict({
                                {text("x"), none()}
  }))) ==
        Lines{"~args/0: NoneType", "x: NoneType"});
  CHECK(entries(build(set_items(made,
                                {
                                    {text("x"), none()}
  }),
                      dict({{text("x"), none()}}))) ==
        Lines{"~args/0: NoneType", "x: NoneType", "~state/x: NoneType"});
  CHECK(entries(object("C", number(7))) == Lines{"~state: int"});
}

TEST_CASE("two states of one object have two paths") {
  CHECK(entries(build(object("C", list({none()})), list({none()}))) ==
        Lines{"~state/~@0/0: NoneType", "~state/~@1/0: NoneType"});
}

TEST_CASE("a module is listed as state_dict() names its parts") {
  const auto module = [](const Pairs& parameters, const Pairs& buffers, const Pairs& modules) {
    return object("M", dict({
                           {text("training"),    yes()           },
                           {text("_parameters"), dict(parameters)},
                           {text("_buffers"),    dict(buffers)   },
                           {text("_modules"),    dict(modules)   },
    }));
  };
  const Fragment inner = module(
      {
          {text("weight"), scalar_tensor("0")},
          {text("bias"),   none()            }
  },
      {}, {});
  CHECK(entries(module(
            {
  },
            {{text("mean"), scalar_tensor("1")}}, {{text("0"), inner}})) ==
        Lines{"mean: tensor float32 []", "0.weight: tensor float32 []", "0.training: bool",
              "training: bool"});
}

TEST_CASE("a path leads to its value and a value to its path") {
  const Loading loading(dict({
      {text("a"), list({none(), dict({{text("b"), scalar_tensor("0")}})})},
      {text("c"), none()                                                 }
  }));
  const Names& names = loading.checkpoint.names();
  const pickle::NodeId root = loading.checkpoint.root();
  const auto found = resolve(loading.checkpoint, root, "a/1/b");
  REQUIRE(found);
  CHECK(locate(names, root, *found) == "a/1/b");
  CHECK(loading.checkpoint.tensors().tensor_of(*found));
  CHECK(resolve(loading.checkpoint, root, "a/1"));
  CHECK_FALSE(resolve(loading.checkpoint, root, "a/2"));
  CHECK_FALSE(resolve(loading.checkpoint, root, "a/1/"));
  CHECK_FALSE(resolve(loading.checkpoint, root, "A"));
}

TEST_CASE("a path leads to an attribute of a tensor and not into its making") {
  const Fragment inner = tensor(storage("0", 6), {6}, {1});
  const Loading loading(dict({
      {text("w"), call(rebuild("_rebuild_parameter_with_state"),
       {inner, no(), hooks(), dict({{text("tag"), number(7)}})})}
  }));
  const pickle::NodeId root = loading.checkpoint.root();
  CHECK(resolve(loading.checkpoint, root, "w"));
  CHECK(resolve(loading.checkpoint, root, "w/~state/tag"));
  CHECK_FALSE(resolve(loading.checkpoint, root, "w/0"));
}

TEST_CASE("to look for a path in what is shared takes no time") {
  Pairs wide;
  for (int i = 0; i < 20'000; ++i) {
    wide.emplace_back(number(1000 + i), none());
  }
  Fragments items(20'000, get(1));
  items[0] = dict(wide) + put(1);
  const Loading loading(list(items));
  const Names& names = loading.checkpoint.names();
  CHECK_FALSE(resolve(loading.checkpoint, loading.checkpoint.root(), "x"));
  CHECK_FALSE(locate(names, loading.checkpoint.root(), pickle::NodeId{0xFFFF'FFF0}));
}

}  // namespace
}  // namespace ptsd::checkpoint
