// SPDX-License-Identifier: Apache-2.0
#include "operation/pattern.h"
#include "operation/sections.h"
#include "operation/selection.h"
#include "operation/totals.h"
#include "operation/weights_only.h"
#include "unit/checkpoint/loading.h"

namespace ptsd::operation {
namespace {

using namespace test;
using checkpoint::list;
using checkpoint::Listing;
using checkpoint::Loading;
using checkpoint::Want;
using test::list;
using test::pickle;
using test::tensor;

Listing listing_of(const Loading& loading) {
  return list(loading.checkpoint, loading.checkpoint.root(), Want::Tensors);
}

Totals totals_of(const Loading& loading) {
  Totalizer totalizer(loading.checkpoint);
  const Listing listing = listing_of(loading);
  for (std::size_t i = 0; i < listing.tensors().size(); ++i) {
    totalizer.add(listing.tensors()[i]);
  }
  return totalizer.finish();
}

using Groups = std::vector<std::vector<std::uint32_t>>;

Groups tied(const Fragment& root) {
  const Loading loading(root);
  const Listing listing = listing_of(loading);
  return tied_groups(loading.checkpoint, listing, Sharing(loading.checkpoint, listing));
}

std::string refusal_of_selection(SelectionRules rules, const Fragment& root) {
  try {
    const Loading loading(root);
    const Listing listing = listing_of(loading);
    Selection selection(std::move(rules));
    for (std::size_t i = 0; i < listing.tensors().size(); ++i) {
      selection.selects(loading.checkpoint, listing.tensors()[i]);
    }
    selection.require_matches([&] {
      std::vector<std::string_view> names;
      for (std::size_t i = 0; i < listing.tensors().size(); ++i) {
        names.push_back(listing.tensors()[i].path);
      }
      return names;
    });
  } catch (const Error& error) {
    CHECK(error.kind() == Error::Kind::Usage);
    return error.what();
  }
  return "";
}

std::vector<std::string> refused(const Fragment& root) {
  const Loading loading(root);
  std::vector<std::string> all;
  for (const Refusal& refusal : check_weights_only(loading.checkpoint).refused) {
    all.push_back(refusal.what);
  }
  return all;
}

TEST_CASE("a glob matches the whole name") {
  CHECK(Pattern("*").matches(""));
  CHECK(Pattern("a.*.w").matches("a.b.c.w"));
  CHECK_FALSE(Pattern("a.*").matches("xa.b"));
  CHECK(Pattern("a?c").matches("abc"));
  CHECK_FALSE(Pattern("a?c").matches("ac"));
  CHECK(Pattern("l[0-2]").matches("l1"));
  CHECK_FALSE(Pattern("l[!0-2]").matches("l1"));
  CHECK(Pattern("l[!0-2]").matches("l3"));
  CHECK(Pattern("[]]").matches("]"));
  CHECK(Pattern("a[").matches("a["));
  CHECK(Pattern("*a*b").matches("xaxbxb"));
}

TEST_CASE("a regular expression is searched for") {
  CHECK(Pattern("re:b.$").matches("abc"));
  CHECK_FALSE(Pattern("re:^b").matches("abc"));
  CHECK_THROWS_WITH_AS(Pattern("re:a("),
                       "regular expression 'a(': missing closing parenthesis at character 2",
                       Error);
  CHECK_THROWS_AS(Pattern("re:(a+)+$").matches(std::string(100, 'a') + "b"), Error);
}

TEST_CASE("a rule that selects nothing is refused with the nearest name") {
  const Fragment root = dict({
      {text("layer.weight"), tensor(storage("0", 6), {2, 3}, {3, 1})},
      {text("layer.bias"),              scalar_tensor("1")                        }
  });
  const auto including = [](const char* pattern) {
    SelectionRules rules;
    rules.include.emplace_back(pattern);
    return rules;
  };
  CHECK(refusal_of_selection(including("layer.*"), root) == "");
  CHECK(refusal_of_selection(including("layer.wieght"), root) ==
        "--include 'layer.wieght' matches nothing; did you mean 'layer.weight'?");
  SelectionRules allowed = including("x");
  allowed.allow_unmatched = true;
  CHECK(refusal_of_selection(std::move(allowed), root) == "");
  CHECK(refusal_of_selection({.names = {"layer.bia"}}, root) ==
        "--names-from: the name 'layer.bia' matches nothing; did you mean 'layer.bias'?");
  CHECK(refusal_of_selection({.shape = parse_shape("2,*")}, root) == "");
  CHECK_THROWS_WITH_AS(parse_shape("2,x"), "--shape: 'x' is neither a size nor *", Error);
}

TEST_CASE("each storage counts once, and what no tensor reaches is unused") {
  const auto unused = [](const Fragments& tensors) {
    const Totals totals = totals_of(Loading(test::list(tensors)));
    CHECK(totals.storage_bytes == 40);
    return totals.unused_bytes;
  };
  const Fragment ten = storage("0", 10);
  CHECK(unused({tensor(ten, {10}, {1})}) == 0);
  CHECK(unused({tensor(ten, {4}, {1}), tensor(ten, {4}, {1}, 2)}) == 16);
  CHECK(unused({tensor(ten, {2}, {1}), tensor(ten, {2}, {1}, 8)}) == 24);
  CHECK(unused({tensor(ten, {100}, {0}, 9)}) == 36);
  CHECK(unused({tensor(ten, {0}, {1})}) == 40);
  CHECK(unused({tensor(ten, {4}, {3})}) == 0);
}

TEST_CASE("a sum of more than 2^64 elements is beyond the limit") {
  const std::int64_t many = std::int64_t{1} << 61;
  const Fragment view = tensor(storage("0", 1, "CharStorage"), {many}, {0}) + put(1);
  Fragments views(8, get(1));
  views[0] = view;
  CHECK_THROWS_WITH_AS(totals_of(Loading(test::list(views))),
                       "more than 2^64 elements or bytes in total", Error);
}

TEST_CASE("tied are those that read the same numbers the same way") {
  const auto view = [](std::int64_t offset) { return tensor(storage("0", 6), {3}, {1}, offset); };
  CHECK(tied(test::list({
            view(0), view(3), view(0)
  })) == Groups{{0, 2}});
  CHECK(tied(test::list({scalar_tensor("0"), scalar_tensor("1")})).empty());
  CHECK(tied(test::list({
            view(0) + put(1), get(1), get(1)
  })) == Groups{{0, 1, 2}});
}

TEST_CASE("sparse tensors are tied if all their parts are") {
  const auto sparse = [](std::string_view values) {
    return call(rebuild("_rebuild_sparse_tensor"),
                {call(global("torch.serialization", "_get_layout"), {text("torch.sparse_coo")}),
                 tuple({tensor(storage("i", 4), {2, 2}, {2, 1}),
                        tensor(storage(values, 2), {2}, {1}), numbers({5, 6})})});
  };
  CHECK(tied(test::list({sparse("a"), sparse("b")})).empty());
  CHECK(tied(test::list({
            sparse("a"), sparse("b"), sparse("a")
  })) == Groups{{0, 2}});
}

TEST_CASE("weights_only takes tensors and plain containers") {
  CHECK(refused(dict({
                    {text("w"), scalar_tensor("0")}
  }))
            .empty());
  CHECK(refused(call(global("os", "system"), {text("x")})) ==
        std::vector<std::string>{"global os.system"});
  CHECK(refused(call(global("posixpath", "join"), {})) ==
        std::vector<std::string>{"global posixpath.join"});
  CHECK(refused(set_items(call(global("torch", "Size"),
                               {
  }),
                          {{none(), none()}})) ==
        std::vector<std::string>{"items set in torch.Size"});
  CHECK(refused(fragment(pickle().binstring("x"))) == std::vector<std::string>{"opcode BINSTRING"});
}

TEST_CASE("sections are the top-level parts, and share one bound") {
  const Fragment model = dict({
      {text("w"), scalar_tensor("0")}
  });
  const Loading loading(dict({
      {text("model"), model             },
      {text("epoch"), number(1)         },
      {text("ema"),   scalar_tensor("1")}
  }));
  const auto sections = sections_of(loading.checkpoint, loading.checkpoint.root());
  REQUIRE(sections.size() == 3);
  CHECK(sections[0].path == "model");
  CHECK(sections[0].tensors == 1);
  CHECK(sections[0].bytes == 4);
  CHECK_FALSE(sections[1].is_container);
  CHECK(sections[2].path.empty());
  CHECK(sections[2].tensors == 1);

  Fragments items(200, get(1));
  items[0] = test::list(Fragments(1000, none())) + put(1);
  const Loading shared(test::list(items), {.entries = 100'000});
  CHECK_THROWS_AS(sections_of(shared.checkpoint, shared.checkpoint.root()), Error);
}

}  // namespace
}  // namespace ptsd::operation
