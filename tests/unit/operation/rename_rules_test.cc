// SPDX-License-Identifier: Apache-2.0
#include "operation/rename_rules.h"

#include <doctest/doctest.h>

#include "base/error.h"
#include "support/refusal.h"

namespace ptsd::operation {
namespace {

using Names = std::vector<std::string>;

template <class... Rules>
RenameRules rules(Rules... rule) {
  std::vector<RenameRules::Given> given;
  (given.push_back({"--rule", RenameRule(std::move(rule))}), ...);
  return RenameRules(std::move(given));
}

struct Outcome {
  Names names;
  Names modules;

  bool operator==(const Outcome&) const = default;
};

Outcome apply(RenameRules rules, Names names, Names modules = {}) {
  rules.apply(names, modules);
  return {names, modules};
}

std::string unmatched(RenameRules rules, Names names) {
  return test::refused([&] {
    Names modules;
    rules.apply(names, modules);
    rules.require_matches();
  });
}

TEST_CASE("a prefix is plain text at the beginning, and nowhere else") {
  CHECK(apply(rules(PrefixRule{"enc", "x"}), {"enc.w", "encoder", "my.enc.w", "en"}).names ==
        Names{"x.w", "xoder", "my.enc.w", "en"});
  CHECK(apply(rules(PrefixRule{"", "m."}), {"a", ""}).names == Names{"m.a", "m."});
}

TEST_CASE("rules work on the results of those before") {
  CHECK(apply(rules(PrefixRule{"a.", "b."}, PrefixRule{"b.", "c."}), {"a.x", "b.x"}).names ==
        Names{"c.x", "c.x"});
}

TEST_CASE("module paths follow a prefix that ends at a module") {
  CHECK(apply(rules(PrefixRule{"encoder.", "backbone."}), {},
              {"", "encoder", "encoder.0", "decoder", "encoder_norm"})
            .modules == Names{"", "backbone", "backbone.0", "decoder", "encoder_norm"});
  CHECK(apply(rules(PrefixRule{"module.", ""}), {}, {"", "module", "module.fc"}).modules ==
        Names{"", "", "fc"});
  CHECK(apply(rules(PrefixRule{"", "module."}), {}, {"", "fc"}).modules ==
        Names{"module", "module.fc"});
}

TEST_CASE("a prefix that ends within a module's name renames the modules below it alone") {
  CHECK(apply(rules(PrefixRule{"encoder.", "enc_"}), {}, {"", "encoder", "encoder.fc"}).modules ==
        Names{"", "encoder", "enc_fc"});
  CHECK(apply(rules(PrefixRule{"enc_", "encoder."}), {}, {"", "encoder", "enc_fc"}).modules ==
        Names{"", "encoder", "encoder.fc"});
}

TEST_CASE("a module follows whole names only when all its entries move alike") {
  const WholeRule both = {
      {{"a.w", "b.w"}, {"a.b", "b.b"}}
  };
  CHECK(apply(rules(both), {"a.w", "a.b", "c.w"}, {"", "a", "c"}).modules == Names{"", "b", "c"});
  const WholeRule one = {{{"a.w", "b.w"}}};
  CHECK(apply(rules(one), {"a.w", "a.b"}, {"", "a"}).modules == Names{"", "a"});
  const WholeRule other_end = {{{"a.w", "b.v"}}};
  CHECK(apply(rules(other_end), {"a.w"}, {"", "a"}).modules == Names{"", "a"});
}

TEST_CASE("every match of an expression is replaced, with groups as in Python") {
  CHECK(
      apply(rules(RegexRule{Regex(R"(layer(\d+))"), R"(\1.\g<1>$\\)"}), {"layer1.layer22"}).names ==
      Names{R"(1.1$\.22.22$\)"});
  CHECK(apply(rules(RegexRule{Regex("^(?<head>\\w+)\\."), "\\g<head>_"}), {"a.b.c"}, {"a"}) ==
        Outcome{{"a_b.c"}, {"a"}});
  CHECK(apply(rules(RegexRule{
                  Regex("^enc\\."), "dec."
  }),
              {"enc.w"}, {"", "enc", "enc.0"}) == Outcome{{"dec.w"}, {"", "dec", "dec.0"}});
}

TEST_CASE("a long replacement is not cut") {
  const std::string longer(5000, 'y');
  CHECK(apply(rules(RegexRule{Regex("x"), longer}), {"axbx"}).names ==
        Names{"a" + longer + "b" + longer});
}

TEST_CASE("a replacement with a group that is not there is refused") {
  RenameRules wrong = rules(RegexRule{Regex("x"), "\\1"});
  Names names = {"x"};
  Names modules;
  CHECK_THROWS_WITH_AS(wrong.apply(names, modules), doctest::Contains("unknown substring"), Error);
}

TEST_CASE("wrappers go wherever they stand as whole segments") {
  CHECK(apply(rules(UnwrapRule{
  }),
              {"module.a.w", "_orig_mod.module.w", "a._fsdp_wrapped_module.w",
               "a._checkpoint_wrapped_module._fsdp_wrapped_module.b", "submodule.w", "a.module"},
              {"", "module", "module._orig_mod", "a._fsdp_wrapped_module"}) ==
        Outcome{{"a.w", "w", "a.w", "a.b", "submodule.w", "a.module"}, {"", "", "", "a"}});
}

TEST_CASE("a rule that matches nothing names the nearest") {
  CHECK(unmatched(rules(PrefixRule{"encodr.", "x"}), {"encoder.w", "decoder.w"}) ==
        "--rule 'encodr.' matches nothing; did you mean 'encoder.'?");
  CHECK(unmatched(rules(WholeRule{
                      {{"a.weigth", "x"}, {"a.bias", "y"}}
  }),
                  {"a.weight", "a.bias"}) ==
        "--rule 'a.weigth' matches nothing; did you mean 'a.weight'?");
  CHECK(unmatched(rules(UnwrapRule{}), {"a"}) == "--rule matches nothing");
  CHECK(unmatched(rules(PrefixRule{"a", "b"}, PrefixRule{"b", "c"}), {"a"}).empty());
}

TEST_CASE("an arrow is split where it stands first") {
  CHECK(parse_arrow("--map", "a=>b=>c") == std::pair<std::string, std::string>("a", "b=>c"));
  CHECK_THROWS_AS(parse_arrow("--map", "a->b"), Error);
}

}  // namespace
}  // namespace ptsd::operation
