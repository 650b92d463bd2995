// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/resolve.h"
#include "operation/drop.h"
#include "operation/filter.h"
#include "operation/merge.h"
#include "operation/rename.h"
#include "operation/retag.h"
#include "unit/operation/drafted.h"

namespace ptsd::operation {
namespace {

using namespace test;
using checkpoint::Draft;
using checkpoint::Lines;
using checkpoint::Loading;
using checkpoint::StateDict;
using test::list;
using test::pickle;
using test::tensor;

struct Editing : Drafted {
  using Drafted::Drafted;

  Lines result() const { return checkpoint::entries(encoded()); }
  Renamed rename_prefix(const std::string& from, const std::string& to,
                        const std::vector<std::string>& wanted = {}) {
    std::vector<RenameRules::Given> given;
    given.push_back({
        "--from", PrefixRule{from, to}
    });
    RenameRules rules(std::move(given));
    return rename(draft, chosen(wanted), rules, {.list_changes = true});
  }
};

Fragment ordered_dict(const Pairs& items, const Pairs& metadata) {
  const Fragment empty = call(global("collections", "OrderedDict"), {});
  Pairs modules;
  for (const auto& [path, version] : metadata) {
    modules.emplace_back(path, dict({
                                   {text("version"), version}
    }));
  }
  return build(set_items(empty, items), dict({
                                            {text("_metadata"), set_items(empty, modules)}
  }));
}

Fragment scalar(std::string_view key) {
  return scalar_tensor(key);
}

TEST_CASE("entries are renamed in their order, with their module") {
  Editing editing(ordered_dict(
      {
          {text("a.w"), scalar("0")},
          {text("b.w"), scalar("1")}
  },
      {{text(""), number(1)}, {text("a"), number(2)}}));
  const Renamed done = editing.rename_prefix("a.", "c.");
  CHECK(done.names == 2);
  CHECK(done.renamed == 1);
  CHECK(done.modules == 1);
  CHECK(done.changes == std::vector<std::pair<std::string, std::string>>{
                            {"a.w", "c.w"}
  });
  CHECK(editing.draft.pickle_changed);
  CHECK(editing.result() == Lines{"c.w: tensor float32 []", "b.w: tensor float32 []",
                                  "~state/_metadata//version: int",
                                  "~state/_metadata/c/version: int"});
}

TEST_CASE("the module inside a wrapper takes the place of the wrapper") {
  Editing editing(ordered_dict(
      {
          {text("module.w"), scalar("0")}
  },
      {{text(""), number(1)}, {text("module"), number(7)}}));
  editing.rename_prefix("module.", "");
  const checkpoint::Names& names = editing.loading.checkpoint.names();
  const auto metadata = attribute(names, editing.draft.root, "_metadata");
  REQUIRE(metadata);
  const auto modules = pairs_of(names, *metadata);
  REQUIRE(modules);
  REQUIRE(modules->size() == 1);
  const auto versions = pairs_of(names, modules->front().value);
  CHECK(names.graph().int_value(versions->front().value) == 7);
}

TEST_CASE("the names that an optimizer keeps follow") {
  Editing editing(dict({
      {text("model"),     dict({{text("a.w"), scalar("0")}})                              },
      {text("optimizer"),
       dict({{text("param_groups"),
              list({dict({{text("param_names"), list({text("a.w"), text("other")})}})})}})}
  }));
  const Renamed done = editing.rename_prefix("a.", "b.");
  CHECK(done.param_names == 1);
  const auto names = resolve(editing.loading.checkpoint, editing.draft.root,
                             "optimizer/param_groups/0/param_names");
  REQUIRE(names);
  const pickle::Graph& graph = editing.loading.checkpoint.graph();
  const auto items = checkpoint::list_items(graph, *names);
  REQUIRE(items);
  REQUIRE(items->size() == 2);
  CHECK(graph.text(items->front()) == "b.w");
  CHECK(graph.text(items->back()) == "other");
}

TEST_CASE("two entries of one name are refused, and nothing has changed") {
  Editing editing(dict({
      {text("a.w"), scalar("0")},
      {text("b.w"), scalar("1")}
  }));
  CHECK(refused([&] { editing.rename_prefix("a.", "b."); }) ==
        "'a.w' and 'b.w' would both be called 'b.w'");
  CHECK_FALSE(editing.draft.pickle_changed);
  CHECK(editing.result() == Lines{"a.w: tensor float32 []", "b.w: tensor float32 []"});
}

TEST_CASE("a state dict is found at the root, at the usual names, or alone") {
  const Fragment weights = dict({
      {text("w"), scalar("0")}
  });
  const auto path = [](const Fragment& root) { return Editing(root).chosen().front().path; };
  CHECK(path(weights).empty());
  CHECK(path(dict({
            {text("ema"),   weights},
            {text("model"), weights}
  })) == "model");
  CHECK(path(dict({
            {text("weights"), weights  },
            {text("epoch"),   number(3)}
  })) == "weights");
  CHECK(path(list({none(), weights})) == "1");
  CHECK(refused([&] {
          Editing(dict({
                      {text("a"), weights                         },
                      {text("b"), dict({{text("w"), scalar("1")}})}
          }))
              .chosen();
        }) == "2 state dicts, --in PATH says which: 'a', 'b'");
  CHECK(refused([&] { Editing(list({scalar("0")})).chosen(); }) ==
        "no state dict: no dict of names holds tensors");
}

TEST_CASE("what lies below an empty key is not the root") {
  const Fragment weights = dict({
      {text("w"), scalar("0")}
  });
  CHECK(Editing(dict({
                    {text(""),           weights                         },
                    {text("state_dict"), dict({{text("v"), scalar("1")}})}
  }))
            .chosen()
            .front()
            .path == "state_dict");
}

TEST_CASE("the state of an optimizer is no state dict") {
  const Fragment state = dict({
      {number(0), dict({{text("step"), scalar("0")}})}
  });
  Editing editing(dict({
      {text("weights"), dict({{text("w"), scalar("1")}})},
      {text("opt"),     dict({{text("state"), state}})  }
  }));
  CHECK(editing.chosen({"*"}).size() == 1);
  CHECK(editing.chosen().front().path == "weights");
}

TEST_CASE("a filter leaves entries in their order, and modules that have some left") {
  Editing editing(ordered_dict(
      {
          {text("a.w"),   scalar("0")},
          {text("b.w"),   scalar("1")},
          {text("b.c.w"), scalar("2")}
  },
      {{text(""), number(1)},
       {text("a"), number(1)},
       {text("a.act"), number(1)},
       {text("b"), number(1)},
       {text("b.c"), number(1)},
       {text("free"), number(1)}}));
  const Filtered done = filter(editing.draft, editing.chosen(),
                               [](std::string_view name, auto) { return name == "b.w"; });
  CHECK(done.names == 3);
  CHECK(done.kept == 1);
  CHECK(editing.result() == Lines{"b.w: tensor float32 []", "~state/_metadata//version: int",
                                  "~state/_metadata/b/version: int",
                                  "~state/_metadata/free/version: int"});
}

std::vector<Pattern> patterns(const Lines& texts) {
  std::vector<Pattern> all;
  for (const std::string& each : texts) {
    all.emplace_back(each);
  }
  return all;
}

TEST_CASE("entries are dropped from dicts, lists and objects") {
  const auto dropped = [](const Fragment& root, const Lines& paths) {
    Editing editing(root);
    drop(editing.draft, patterns(paths), false);
    return editing.result();
  };
  CHECK(dropped(dict({
                    {text("a"), number(1)},
                    {number(1), none()   },
                    {text("c"), none()   }
  }),
                {"a", "1"}) == Lines{"c: NoneType"});
  CHECK(dropped(list({number(1), text("x"), none()}), {"0", "2"}) == Lines{"0: str"});
  CHECK(dropped(object("Args", dict({
                                   {text("lr"), number(1)},
                                   {text("n"),  none()   }
  })),
                {"lr"}) == Lines{"n: NoneType"});
  CHECK(dropped(dict({
                    {text("a"), dict({{text("x"), none()}, {text("y"), none()}})},
                    {text("b"), none()                                          }
  }),
                {"a/*"}) == Lines{"a: dict", "b: NoneType"});
}

TEST_CASE("an item and an attribute of one name are two entries") {
  const Fragment both = build(set_items(call(global("collections", "OrderedDict"),
                                             {
  }),
                                        {{text("x"), number(1)}}),
                              dict({{text("x"), none()}}));
  const auto after = [&](const std::string& path) {
    Editing editing(both);
    drop(editing.draft, patterns({path}), false);
    return editing.result();
  };
  CHECK(after("x") == Lines{"~state/x: NoneType"});
  CHECK(after("~state/x") == Lines{"x: int"});
}

TEST_CASE("what cannot be dropped alone is refused, and what is not there") {
  const auto message = [](const Fragment& root, const std::string& path) {
    return refused([&] {
      Editing editing(root);
      drop(editing.draft, patterns({path}), false);
    });
  };
  CHECK(message(tuple({number(1), number(2)}), "1") ==
        "--drop: '1' is neither an entry of a dict nor an item of a list, and cannot be dropped "
        "alone");
  CHECK(message(dict({
                    {text("epoch"), number(1)}
  }),
                "epohc") == "--drop 'epohc' matches nothing; did you mean 'epoch'?");
}

TEST_CASE("requires_grad is set where a gradient can be") {
  Editing editing(dict({
      {text("w"), scalar("0")},
      { text("n"), tensor(storage("1", 1, "LongStorage"), {}, {})}
  }));
  CHECK(set_requires_grad(editing.draft, editing.chosen(), true) == 1);
  CHECK(editing.result() == Lines{"w: tensor float32 [] grad", "n: tensor int64 []"});
}

TEST_CASE("globals are mapped by either spelling of their name") {
  Editing editing(dict({
      {text("a"), object("Config", dict({}))}
  }));
  CHECK(map_global(editing.draft, "__main__.Config", "my.pkg.Config") == 1);
  CHECK(editing.result() == Lines{"a: my.pkg.Config"});
  CHECK(refused([&] {
          map_global(editing.draft, "__main__.Confg", "a.B");
        }).starts_with("--map-global '__main__.Confg' matches nothing"));
  CHECK(refused([&] { map_global(editing.draft, "Config", "a.B"); }) ==
        "--map-global: 'Config' is no 'module.name'");
}

// Every storage holds zeros.
std::unique_ptr<ByteSource> open_zeros(std::size_t, checkpoint::StorageId) {
  return std::make_unique<MemorySource>("m.pt", std::vector<std::byte>(4));
}

Lines merged(const Fragment& a, const Fragment& b, OnConflict policy = OnConflict::Error) {
  Editing editing(a);
  const Loading other(b);
  merge(editing.draft,
        {
            {other.checkpoint, other.checkpoint.root(), 1}
  },
        policy, open_zeros);
  return editing.result();
}

TEST_CASE("dicts merge key by key, and storages of the second get other keys") {
  const Fragment a = dict({
      {text("m"), dict({{text("x"), scalar("0")}})},
      {text("e"), number(1)                       }
  });
  const Fragment b = dict({
      {text("m"), dict({{text("y"), scalar("0")}})},
      {text("f"), none()                          }
  });
  CHECK(merged(a, b) ==
        Lines{"m/x: tensor float32 []", "m/y: tensor float32 []", "e: int", "f: NoneType"});
  Editing editing(a);
  const Loading other(b);
  merge(editing.draft,
        {
            {other.checkpoint, other.checkpoint.root(), 1}
  },
        OnConflict::Error, open_zeros);
  REQUIRE(editing.draft.payloads.contains("1"));
  CHECK(editing.draft.payloads.at("1").input == 1);
}

TEST_CASE("no storage of the second gets the key of a record without a storage") {
  Editing editing(dict({
      {text("x"), scalar("0")}
  }));
  editing.draft.taken_keys = {"1"};
  const Loading other(dict({
      {text("y"), scalar("0")}
  }));
  merge(editing.draft,
        {
            {other.checkpoint, other.checkpoint.root(), 1}
  },
        OnConflict::Error, open_zeros);
  CHECK_FALSE(editing.draft.payloads.contains("1"));
  CHECK(editing.draft.payloads.contains("2"));
}

TEST_CASE("a path with two values is refused, or settled as asked") {
  const Fragment a = dict({
      {text("e"), number(1)}
  });
  const Fragment b = dict({
      {text("e"), text("one")}
  });
  CHECK(refused([&] { merged(a, b); }) ==
        "'e': has another value in an earlier input; --on-conflict says which counts");
  CHECK(merged(a, b, OnConflict::First) == Lines{"e: int"});
  CHECK(merged(a, b, OnConflict::Last) == Lines{"e: str"});
  CHECK(merged(a, a) == Lines{"e: int"});
  CHECK(refused([&] { merged(a, list({})); }) == "the root: not a dict, which alone merges");
}

TEST_CASE("a third input finds what the second brought, at any depth") {
  Editing editing(dict({
      {text("e"), number(1)}
  }));
  const Fragment nested = dict({
      {text("m"), dict({{text("x"), scalar("0")}})}
  });
  const Loading second(nested);
  const Loading third(nested);
  const Merged done = merge(editing.draft,
                            {
                                {second.checkpoint, second.checkpoint.root(), 1},
                                {third.checkpoint,  third.checkpoint.root(),  2}
  },
                            OnConflict::Error, open_zeros);
  CHECK(done.equal == 1);
  CHECK(editing.result() == Lines{"m/x: tensor float32 []", "e: int"});
}

TEST_CASE("dicts inside themselves merge") {
  const auto inside = [](std::string_view name) {
    const Fragment again = dict({
        {text(name), scalar("0")}
    });
    return again + put(8) + text("up") + get(8) + fragment(pickle().setitem());
  };
  CHECK(merged(inside("x"), inside("x")) == Lines{"x: tensor float32 []", "up: dict (cycle)"});
  CHECK(merged(inside("x"), inside("y")) ==
        Lines{"x: tensor float32 []", "y: tensor float32 []", "up: dict (cycle)"});
}

TEST_CASE("dicts that meet on very many paths are united once") {
  Fragment tree = dict({
      {text("x"), scalar("0")}
  });
  for (std::uint32_t i = 0; i < 40; ++i) {
    tree = dict({
        {text("a"), tree + put(i)},
        {text("b"), get(i)       }
    });
  }
  Editing editing(tree);
  const Loading other(tree);
  const Merged done = merge(editing.draft,
                            {
                                {other.checkpoint, other.checkpoint.root(), 1}
  },
                            OnConflict::Error, open_zeros);
  CHECK(done.equal == 1);
  CHECK(done.added == 0);
}

// A dict of dicts, the last of which holds the first.
Fragment ring(std::uint32_t size) {
  Fragment ring = dict({}) + put(0);
  for (std::uint32_t i = 1; i < size; ++i) {
    ring += text("n") + dict({}) + put(i);
  }
  ring += text("n") + get(0);
  for (std::uint32_t i = 0; i < size; ++i) {
    ring += fragment(pickle().setitem());
  }
  return ring;
}

TEST_CASE("dicts that meet in too many pairs are refused") {
  CHECK(merged(ring(2), ring(3)).size() == 1);
  Limits limits;
  limits.entries = 1000;
  const Loading other(ring(37));
  Loading loading(ring(41), limits);
  Draft draft = {.base = loading.checkpoint, .root = loading.checkpoint.root()};
  CHECK(refused([&] {
          merge(draft,
                {
                    {other.checkpoint, other.checkpoint.root(), 1}
          },
                OnConflict::Error, open_zeros);
        }).find("--limit entries=N") != std::string::npos);
}

TEST_CASE("a number and its text are two keys") {
  CHECK(merged(dict({
                   {number(1), none()}
  }),
               dict({{text("1"), number(2)}})) == Lines{"1: NoneType", "'1': int"});
}

}  // namespace
}  // namespace ptsd::operation
