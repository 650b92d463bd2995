// SPDX-License-Identifier: Apache-2.0
#include "operation/suggest.h"

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace ptsd::operation {
namespace {

using Kind = Suggestion::Kind;
using Named = std::vector<std::pair<std::string, std::vector<std::int64_t>>>;
using Rules = std::vector<Suggestion>;

std::vector<StateEntry> entries(const Named& named) {
  std::vector<StateEntry> all;
  for (const auto& [name, shape] : named) {
    all.push_back({.name = name, .shape = tensor::Dims(shape), .dtype = tensor::DType::Float32});
  }
  return all;
}

Suggestions suggest(const Named& checkpoint, const Named& reference) {
  return operation::suggest(entries(checkpoint), entries(reference));
}

// `count` names of one shape each, as `form` spells a number.
template <class Form>
Named layers(int count, Form form, bool of_one_shape = false) {
  Named named;
  for (int i = 0; i < count; ++i) {
    named.push_back({form(i), {of_one_shape ? 1 : i}});
  }
  return named;
}

std::string block(int i) {
  return fmt::format("blocks.{}.weight", i);
}

TEST_CASE("nothing is suggested where all is well, or nothing can be done") {
  CHECK(suggest(layers(3, block), layers(3, block)).rules.empty());
  CHECK(suggest({}, layers(3, block)).rules.empty());
  CHECK(suggest(layers(3, block), {}).rules.empty());
  CHECK(suggest(
            {
                {"a", {1}}
  },
            {{"b", {2}}})
            .rules.empty());
}

TEST_CASE("a prefix is taken off, put on, or becomes another") {
  const auto with = [](std::string_view prefix) {
    return layers(4, [=](int i) { return std::string(prefix) + block(i); });
  };
  CHECK(suggest(with("module."), with("")).rules == Rules{
                                                        {Kind::Prefix, "module.", "", 4}
  });
  CHECK(suggest(with(""), with("m.n.")).rules == Rules{
                                                     {Kind::Prefix, "", "m.n.", 4}
  });
  CHECK(suggest(with("a."), with("b.c.")).rules == Rules{
                                                       {Kind::Prefix, "a.", "b.c.", 4}
  });
  CHECK(suggest(with("a."), with("")).names[3] == "blocks.3.weight");
}

TEST_CASE("a prefix is not put before names that fit already") {
  const Named checkpoint = {
      {"h.0.w",      {1}},
      {"h.1.w",      {2}},
      {"wte.weight", {3}},
      {"wte.bias",   {5}},
      {"head",       {4}}
  };
  const Named reference = {
      {"t.h.0.w",      {1}},
      {"t.h.1.w",      {2}},
      {"t.wte.weight", {3}},
      {"t.wte.bias",   {5}},
      {"head",         {4}}
  };
  CHECK(suggest(checkpoint, reference).rules ==
        Rules{
            {Kind::Prefix, "h.",   "t.h.",   2},
            {Kind::Prefix, "wte.", "t.wte.", 2}
  });
}

TEST_CASE("a rule that would make two names one is not suggested") {
  const Named checkpoint = {
      {"ema.a.w", {1}},
      {"ema.b.w", {2}},
      {"ema.c.w", {3}},
      {"a.w",     {9}}
  };
  const Named reference = {
      {"a.w", {9}},
      {"b.w", {2}},
      {"c.w", {3}}
  };
  for (const Suggestion& rule : suggest(checkpoint, reference).rules) {
    CHECK(rule.kind == Kind::Whole);
  }
}

TEST_CASE("wrappers inside of names are taken out") {
  const Named checkpoint = {
      {"a._orig_mod.w",        {1}},
      {"b.module.w",           {2}},
      {"module.c._orig_mod.w", {3}}
  };
  const Named reference = {
      {"a.w", {1}},
      {"b.w", {2}},
      {"c.w", {3}}
  };
  CHECK(suggest(checkpoint, reference).rules == Rules{
                                                    {Kind::Unwrap, "", "", 3}
  });
}

TEST_CASE("single names go to the nearest of their shape, if both agree") {
  const Named checkpoint = {
      {"layer.query", {4}},
      {"layer.value", {4}},
      {"norm.gamma",  {2}},
      {"same",        {3}}
  };
  const Named reference = {
      {"layer.querys", {4}},
      {"layer.values", {4}},
      {"norm.weight",  {2}},
      {"same",         {3}}
  };
  CHECK(suggest(checkpoint, reference).rules == Rules{
                                                    {Kind::Whole, "layer.query", "layer.querys", 1},
                                                    {Kind::Whole, "layer.value", "layer.values", 1},
                                                    {Kind::Whole, "norm.gamma",  "norm.weight",  1}
  });
}

TEST_CASE("of two that are as near, none is guessed") {
  CHECK(suggest(
            {
                {"x1", {4}}
  },
            {{"x2", {4}}, {"x3", {4}}})
            .rules.empty());
  CHECK(suggest(
            {
                {"x2", {4}},
                {"x3", {4}}
  },
            {{"x1", {4}}})
            .rules.empty());
}

// The same three entries under each prefix.
Named under(const std::vector<std::string>& prefixes) {
  Named named;
  for (const std::string& prefix : prefixes) {
    named.push_back({prefix + "embedding.weight", {1}});
    named.push_back({prefix + "head.weight", {2}});
    named.push_back({prefix + "head.bias", {3}});
  }
  return named;
}

TEST_CASE("of prefixes that do as well, none is guessed, by whole names neither") {
  const Suggestions stripped = suggest(under({"student.", "teacher."}), under({""}));
  CHECK(stripped.rules.empty());
  CHECK(stripped.rivals ==
        std::vector<Rivals>{
            {{Kind::Prefix, "student.", "", 3}, {Kind::Prefix, "teacher.", "", 3}}
  });
  CHECK(suggest(under({"ema.", "model."}), under({""})).rules.empty());
  CHECK(suggest(under({""}), under({"q.", "k."})).rules.empty());
  CHECK(suggest(under({"x."}), under({"q.", "k."})).rivals.size() == 1);
  CHECK(suggest(
            {
                {"student.w", {1}},
                {"teacher.w", {1}}
  },
            {{"w", {1}}})
            .rules.empty());
}

TEST_CASE("rivals leave other prefixes alone") {
  Named checkpoint = under({"ema.", "model."});
  Named reference = under({""});
  checkpoint.push_back({"old.a.x", {7}});
  checkpoint.push_back({"old.a.y", {8}});
  reference.push_back({"new.a.x", {7}});
  reference.push_back({"new.a.y", {8}});
  const Suggestions found = suggest(checkpoint, reference);
  CHECK(found.rules == Rules{
                           {Kind::Prefix, "old.", "new.", 2}
  });
  CHECK(found.rivals.size() == 1);
}

TEST_CASE("of a checkpoint that is whole and one that is not, the whole one is meant") {
  Named checkpoint = under({"ema.", "model."});
  checkpoint.erase(checkpoint.begin());
  CHECK(suggest(checkpoint, under({
                                ""
  }))
            .rules == Rules{{Kind::Prefix, "model.", "", 3}});
}

TEST_CASE("layers that are alike keep their numbers") {
  const Suggestions found =
      suggest(under({"block_0.", "block_1.", "block_2."}), under({"l1.", "l0.", "l2."}));
  CHECK(found.names[0] == "l0.embedding.weight");
  CHECK(found.names[3] == "l1.embedding.weight");
  CHECK(found.names[6] == "l2.embedding.weight");
  CHECK(found.rivals.empty());
}

TEST_CASE("names of one shape that have little in common are not matched") {
  CHECK(suggest(
            {
                {"abc", {4}},
                {"q",   {4}}
  },
            {{"rstuvw", {4}}, {"abd", {4}}})
            .rules == Rules{{Kind::Whole, "abc", "abd", 1}});
}

TEST_CASE("another dtype or shape is another group") {
  std::vector<std::int64_t> two = {2};
  const std::vector<StateEntry> given = {
      {.name = "ab", .shape = tensor::Dims(two), .dtype = tensor::DType::Float16}
  };
  const std::vector<StateEntry> wanted = {
      {.name = "ac", .shape = tensor::Dims(two), .dtype = tensor::DType::Float32}
  };
  CHECK(operation::suggest(given, wanted).rules.empty());
  CHECK(suggest(
            {
                {"ab", {1}}
  },
            {{"ac", {1, 1}}})
            .rules.empty());
}

TEST_CASE("twenty thousand names of one shape are given up on, and said so") {
  const Named checkpoint = layers(
      20'000, [](int i) { return fmt::format("{}.attention", i); }, true);
  const Named reference = layers(
      20'000, [](int i) { return fmt::format("{}.attn", i); }, true);
  const Suggestions found = suggest(checkpoint, reference);
  CHECK(found.rules.empty());
  CHECK_FALSE(found.complete);
}

TEST_CASE("long names and names of many segments cost no more than they are worth") {
  std::string dots;
  for (int i = 0; i < 400'000; ++i) {
    dots += ".a";
  }
  const Named checkpoint = {
      {"x" + dots, {1}},
      {"y" + dots, {1}}
  };
  const Named reference = {
      {"z" + dots, {1}},
      {"u" + dots, {1}}
  };
  CHECK(suggest(checkpoint, reference).rules.empty());
}

}  // namespace
}  // namespace ptsd::operation
