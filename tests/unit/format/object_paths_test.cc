// SPDX-License-Identifier: Apache-2.0
#include "format/object_paths.h"

#include <doctest/doctest.h>

#include "support/refusal.h"

namespace ptsd::format {
namespace {

using pickle::Kind;
using pickle::NodeId;

struct Objects {
  explicit Objects(const Limits& limits = {}, std::uint64_t values = 0)
      : nested({.file = "folder"}, limits, values) {}

  std::string set(const ObjectPath& path, std::int64_t value) {
    return nested.set(path, builder.integer(value)).value_or("");
  }

  // "{a: [1, None]}"
  std::string text() { return text(nested.build(builder)); }

  std::string text(NodeId node) {
    switch (graph.kind(node)) {
      case Kind::None: return "None";
      case Kind::Int: return std::to_string(graph.int_value(node));
      case Kind::Str: return std::string(graph.text(node));
      default: break;
    }
    const bool dict = graph.kind(node) == Kind::Dict;
    std::string all;
    for (const pickle::Mutation& mutation : graph.mutations(node)) {
      for (std::size_t i = 0; i < mutation.operands.size(); ++i) {
        const bool value = dict && i % 2 == 1;
        all += (all.empty() ? "" : value ? ": " : ", ") + text(mutation.operands[i]);
      }
    }
    return dict ? "{" + all + "}" : "[" + all + "]";
  }

  pickle::Graph graph{Bytes()};
  pickle::Builder builder{graph, 2};
  NestedObjects nested;
};

TEST_CASE("keys make dicts and indices lists, in the order in which they come") {
  Objects objects;
  CHECK(objects.text() == "{}");
  CHECK(objects.set({"b", "y"}, 1) == "");
  CHECK(objects.set({"a"}, 2) == "");
  CHECK(objects.set({"b", "x"}, 3) == "");
  CHECK(objects.set({"l", 2, "k", 0}, 4) == "");
  CHECK(objects.set({"l", 0}, 5) == "");
  CHECK(objects.text() == "{b: {y: 1, x: 3}, a: 2, l: [5, None, {k: [4]}]}");
}

TEST_CASE("paths that do not go together are told") {
  Objects objects;
  const std::string_view through =
      "a path through what another path makes a value, or another container";
  const std::string_view taken = "another value lies at the same path, or below it";
  CHECK(objects.set({"a", "b"}, 1) == "");
  CHECK(objects.set({"a", "b"}, 2) == taken);
  CHECK(objects.set({"a"}, 2) == taken);
  CHECK(objects.set({"a", "b", "c"}, 2) == through);
  CHECK(objects.set({"a", 0}, 2) == through);
  CHECK(objects.set({0}, 2) == through);
  CHECK(objects.set({"l", -1}, 2) == through);
  CHECK(objects.set({}, 2) == "an empty path");
}

TEST_CASE("a list is as long as the limit allows, and a path as deep") {
  Limits limits;
  limits.entries = 10;
  limits.depth = 2;
  Objects objects(limits);
  CHECK(objects.set({"a", 7}, 1) == "");
  CHECK(test::refused([&] {
          objects.set({"b", 7}, 1);
        }) == "folder: more than 10 values (--limit entries=N)");
  CHECK(objects.set({"c", "d", "e"}, 1) == "a path of 3 parts (--limit depth=N)");
}

TEST_CASE("an index does not reach far behind what is there") {
  Objects few;
  CHECK(few.set({"a", 600}, 1) == "");
  CHECK(few.set({"a", 1000}, 1) == "");
  CHECK(test::refused([&] {
          few.set({"b", 9'000'000}, 1);
        }) ==
        "folder: index 9000000 in a list: it leaves 9000000 places empty, expected at most 1");
  // Values may come in any order.
  Objects many({}, 5000);
  for (std::int64_t i = 5000; i-- > 0;) {
    REQUIRE(many.set({"a", i}, i) == "");
  }
}

}  // namespace
}  // namespace ptsd::format
