// SPDX-License-Identifier: Apache-2.0
#include "operation/fit.h"

#include <string>
#include <vector>

#include "operation/module_tree.h"
#include "unit/checkpoint/loading.h"

namespace ptsd::operation {
namespace {

using namespace test;
using checkpoint::Loading;
using checkpoint::StateDict;
using test::dict;
using test::tensor;

using Names = std::vector<std::string_view>;

Fragment of_shape(const std::vector<std::int64_t>& shape) {
  return tensor(storage("0", 64), shape, std::vector<std::int64_t>(shape.size(), 1));
}

Fragment state(const std::vector<std::string>& names) {
  Pairs pairs;
  for (const std::string& name : names) {
    pairs.emplace_back(text(name), of_shape({2}));
  }
  return dict(pairs);
}

// A state dict that has _metadata: the modules' paths and versions; no version below 1.
Fragment with_metadata(const Pairs& pairs,
                       const std::vector<std::pair<std::string, int>>& modules) {
  Pairs versions;
  for (const auto& [path, version] : modules) {
    versions.emplace_back(text(path), version < 1 ? dict({
    })
                                                  : dict({{text("version"), number(version)}}));
  }
  return build(set_items(hooks(), pairs), dict({
                                              {text("_metadata"), dict(versions)}
  }));
}

// Both must live as long as what fit() returns.
struct Pair {
  Pair(const Fragment& given, const Fragment& wanted) : checkpoint(given), reference(wanted) {
    const StateDict mine = {"", checkpoint.checkpoint.root()};
    const StateDict other = {"", reference.checkpoint.root()};
    fit = operation::fit({checkpoint.checkpoint, mine}, {reference.checkpoint, other});
  }

  Loading checkpoint;
  Loading reference;
  Fit fit;
};

TEST_CASE("what is missing and unexpected comes module by module") {
  const Pair pair(state({"z", "b.x", "a.x", "a.b.x", "c"}), state({"a.w", "b.w", "v", "a.b.w"}));
  CHECK(pair.fit.missing == Names{"v", "a.w", "a.b.w", "b.w"});
  CHECK(pair.fit.unexpected == Names{"z", "c", "a.x", "a.b.x", "b.x"});
  CHECK_FALSE(pair.fit.loads(true));
  CHECK(pair.fit.loads(false));
}

TEST_CASE("modules without entries are known from the metadata") {
  const Fragment given = state({"relu.w", "fc.w", "x", "fc.y"});
  const Fragment entry = of_shape({2});
  const Pairs pairs = {
      {text("fc.w"), entry}
  };
  CHECK(Pair(given, dict(pairs)).fit.unexpected == Names{"relu.w", "x", "fc.y"});
  CHECK(Pair(given, with_metadata(pairs,
                                  {
                                      {"",     1},
                                      {"fc",   1},
                                      {"relu", 1}
  }))
            .fit.unexpected == Names{"x", "fc.y", "relu.w"});
}

TEST_CASE("an extra state takes any value, and comes after what its module has") {
  const Pair pair(dict({
                      {text("w"),              of_shape({2})},
                      {text("a.strange"),      of_shape({2})},
                      {text("a._extra_state"), number(3)    }
  }),
                  dict({{text("_extra_state"), number(1)},
                        {text("w"), of_shape({2})},
                        {text("v"), of_shape({2})},
                        {text("a.w"), of_shape({2})}}));
  CHECK(pair.fit.missing == Names{"v", "_extra_state", "a.w"});
  CHECK(pair.fit.unexpected == Names{"a._extra_state", "a.strange"});
  CHECK(pair.fit.name_only.empty());
}

TEST_CASE("shapes must be the same, but for a single element") {
  const auto errors = [](const std::vector<std::int64_t>& given,
                         const std::vector<std::int64_t>& wanted) {
    return Pair(dict({
                    {text("w"), of_shape(given)}
    }),
                dict({{text("w"), of_shape(wanted)}}))
        .fit.errors.size();
  };
  CHECK(errors({2, 3}, {2, 3}) == 0);
  CHECK(errors({1}, {}) == 0);
  CHECK(errors({}, {1}) == 1);
  CHECK(errors({2}, {}) == 1);
  CHECK(errors({1, 1}, {}) == 1);
  CHECK(errors({3, 2}, {2, 3}) == 1);
}

TEST_CASE("a value that is no tensor is named by its class") {
  const Pair pair(dict({
                      {text("a"), of_shape({2})},
                      {text("w"), number(5)    },
                      {text("o"), hooks()      }
  }),
                  state({"a", "w", "o"}));
  REQUIRE(pair.fit.errors.size() == 2);
  CHECK(pair.fit.errors[0].kind == LoadError::Kind::NoTensor);
  CHECK(pair.fit.errors[0].what == "int");
  CHECK(pair.fit.errors[1].what == "collections.OrderedDict");
}

TEST_CASE("of a key that stands twice, the last value counts") {
  const Pair pair(dict({
                      {text("w"), of_shape({3})},
                      {text("w"), of_shape({2})}
  }),
                  state({"w"}));
  CHECK(pair.fit.loads(true));
}

TEST_CASE("a BatchNorm from before version 2 has no count of batches") {
  const std::vector<std::string> all = {"n.running_mean", "n.running_var", "n.num_batches_tracked"};
  const std::vector<std::string> old = {"n.running_mean", "n.running_var"};
  const Pairs pairs = {
      {text(old[0]), of_shape({2})},
      {text(old[1]), of_shape({2})}
  };
  CHECK(Pair(state(old), state(all)).fit.loads(true));
  CHECK(Pair(with_metadata(pairs,
                           {
                               {"n", 1}
  }),
             state(all))
            .fit.loads(true));
  CHECK(Pair(with_metadata(pairs,
                           {
                               {"n", 0}
  }),
             state(all))
            .fit.loads(true));
  CHECK(Pair(with_metadata(pairs,
                           {
                               {"n", 2}
  }),
             state(all))
            .fit.missing == Names{"n.num_batches_tracked"});
  CHECK_FALSE(Pair(state({"m.x"}), state({"m.x", "m.num_batches_tracked"})).fit.loads(true));
}

TEST_CASE("a name of a million segments is a module within a module") {
  std::string name = "w";
  for (int i = 0; i < 1'000'000; ++i) {
    name += ".a";
  }
  const Pair pair(state({name, "x"}), state({name}));
  CHECK(pair.fit.missing.empty());
  CHECK(pair.fit.unexpected == Names{"x"});
}

TEST_CASE("modules that share what the metadata says of them are looked through once") {
  constexpr int kCount = 60'000;
  Pairs local;
  Pairs modules;
  for (int i = 0; i < kCount; ++i) {
    local.emplace_back(text(std::to_string(i)), yes());
    modules.emplace_back(text("m" + std::to_string(i)), get(7));
  }
  modules.front().second = dict(local) + put(7);
  const Fragment shared = build(set_items(hooks(),
                                          {
                                              {text("w"), of_shape({2})}
  }),
                                dict({{text("_metadata"), dict(modules)}}));
  CHECK(Pair(shared, shared).fit.loads(true));
}

TEST_CASE("a module's place is the innermost that is known") {
  ModuleTree tree;
  const ModuleTree::Id b = tree.add("a.b");
  const ModuleTree::Id a = tree.add("a");
  const ModuleTree::Id c = tree.add("c");
  const ModuleTree::Id d = tree.add("a.d");
  CHECK(tree.place("a.b.c.w").module == b);
  CHECK(tree.place("a.b.c.w").rest == "c.w");
  CHECK(tree.place("a.b").module == a);
  CHECK(tree.place("w").module == tree.add(""));
  const std::vector<std::uint32_t> ranks = tree.ranks();
  CHECK(ranks[0] == 0);
  CHECK(ranks[a] == 1);
  CHECK(ranks[b] == 2);
  CHECK(ranks[d] == 3);
  CHECK(ranks[c] == 4);
}

}  // namespace
}  // namespace ptsd::operation
