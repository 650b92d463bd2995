// SPDX-License-Identifier: Apache-2.0
#include "format/object_paths.h"

#include <doctest/doctest.h>

#include "support/refusal.h"

namespace ptsd::format {
namespace {

using pickle::Kind;
using pickle::NodeId;

struct Objects {
  explicit Objects(const Limits& limits = {}) : nested(limits) {}

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
          objects.set({"a", 8000000000000}, 1);
        }) == "more than 10 values (--limit entries=N)");
  CHECK(objects.set({"b", "c", "d"}, 1) == "a path of 3 parts (--limit depth=N)");
}

}  // namespace
}  // namespace ptsd::format
