// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/module_state.h"

#include "checkpoint/nn_module.h"
#include "unit/checkpoint/loading.h"

namespace ptsd::checkpoint {
namespace {

using namespace test;
using test::list;
using test::pickle;
using test::tensor;

struct Module {
  Pairs parameters = {};
  Pairs buffers = {};
  Pairs modules = {};
  Pairs more = {};

  Fragment text_of() const {
    Pairs state = {
        {text("training"),    yes()           },
        {text("_parameters"), dict(parameters)},
        {text("_buffers"),    dict(buffers)   },
        {text("_modules"),    dict(modules)   }
    };
    state.insert(state.end(), more.begin(), more.end());
    return object("M", dict(state));
  }
};

Fragment parameter(std::string_view key) {
  return call(rebuild("_rebuild_parameter"), {scalar_tensor(key), yes(), hooks()});
}

Fragment set_of(const Fragment& item) {
  return call(global("builtins", "set"), {list({item})});
}

Module linear(std::string_view key) {
  return {
      .parameters = {{text("weight"), parameter(key)}, {text("bias"), none()}}
  };
}

Lines state_of(const Fragment& module, std::vector<std::string>* warnings = nullptr,
               const Limits& limits = {}) {
  Loading loading(module, limits);
  Checkpoint& checkpoint = loading.checkpoint;
  REQUIRE(is_nn_module(checkpoint.names(), checkpoint.root()));
  const pickle::NodeId state = add_module_state(checkpoint, checkpoint.root());
  if (warnings != nullptr) *warnings = texts(checkpoint.warnings());
  const Listing listing = checkpoint::list(checkpoint, state, Want::Everything);
  CHECK(listing.others().size() == 0);
  CHECK(type_of(checkpoint.names(), state) == "OrderedDict");
  Lines lines;
  for (std::size_t i = 0; i < listing.tensors().size(); ++i) {
    const Entry& entry = listing.tensors()[i];
    lines.push_back(fmt::format(
        "{}: {}", entry.path, describe(checkpoint.tensors(), checkpoint.tensors()[*entry.tensor])));
  }
  return lines;
}

std::string refusal_of(const Fragment& module, const Limits& limits = {}) {
  return refused([&] { state_of(module, nullptr, limits); });
}

TEST_CASE("parameters come before buffers, and both before the submodules") {
  Module module = linear("0");
  module.modules = {
      {text("2"),   linear("2").text_of()},
      {text("off"), none()               },
      {text("1"),   Module{}.text_of()   }
  };
  module.buffers = {
      {text("mean"), scalar_tensor("1")}
  };
  CHECK(state_of(module.text_of()) == Lines{"weight: tensor float32 []", "mean: tensor float32 []",
                                            "2.weight: tensor float32 []"});
}

TEST_CASE("a buffer that is not persistent, and a tensor that is an attribute, are left out") {
  const Module module = {
      .buffers = {{text("kept"), scalar_tensor("0")},                             {text("passing"), scalar_tensor("1")}},
      .more = {{text("_non_persistent_buffers_set"), set_of(text("passing"))},
                  {text("scratch"), scalar_tensor("2")}                                                                }
  };
  Lines warnings;
  CHECK(state_of(module.text_of(), &warnings) == Lines{"kept: tensor float32 []"});
  CHECK(warnings ==
        Lines{": tensors of the module that are not in its state dict: 'passing', 'scratch'"});
}

TEST_CASE("a module that stands twice is in the state dict twice") {
  const Module module = {
      .modules = {{text("a"), linear("0").text_of() + put(7)}, {text("b"), get(7)}}
  };
  CHECK(state_of(module.text_of()) ==
        Lines{"a.weight: tensor float32 []", "b.weight: tensor float32 []"});
}

TEST_CASE("the graph still has the module, with its parameters") {
  Loading loading(linear("0").text_of());
  const Lines before = entries(loading.checkpoint);
  add_module_state(loading.checkpoint, loading.checkpoint.root());
  CHECK(entries(loading.checkpoint) == before);
  CHECK(before.front() == "weight: parameter float32 [] grad");
}

TEST_CASE("hooks that nobody calls are warned of") {
  Lines warnings;
  Module module = linear("0");
  module.more = {
      {text("_state_dict_hooks"), dict({{number(0), global("m", "hook")}})}
  };
  const Module outer = {.modules = {{text("a"), module.text_of()}},
                        .more = {{text("_state_dict_pre_hooks"), dict({})}}};
  state_of(outer.text_of(), &warnings);
  CHECK(warnings ==
        Lines{": state_dict() would call hooks, which can change what it gives, of the modules "
              "'a'"});
}

TEST_CASE("what is no module where one should be is refused, and not left out") {
  const Module module = {
      .modules = {
          {text("a"), Module{.modules = {{text("b"), object("Script", dict({}))}}}.text_of()}}};
  CHECK(refusal_of(module.text_of())
            .ends_with("the module 'a.b' is pickled as __main__.Script, of which the state dict is "
                       "not known"));
}

TEST_CASE("modules that pack their weights are refused") {
  const Fragment made = global("torch.ao.nn.quantized.dynamic.modules.linear", "Linear") +
                        fragment(pickle().empty_tuple().newobj());
  const Fragment packed = build(made, dict({
                                          {text("_parameters"), dict({}) },
                                          {text("_buffers"),    dict({}) },
                                          {text("_modules"),    dict({}) },
                                          {text("scale"),       number(1)}
  }));
  CHECK(refusal_of(packed).ends_with(
      "the module '' is pickled as torch.ao.nn.quantized.dynamic.modules.linear.Linear, of which "
      "the state dict is not known"));
}

TEST_CASE("a parameter of any kind is detached") {
  const Fragment meta = call(rebuild("_rebuild_meta_tensor_no_storage"),
                             {global("torch", "float32"), numbers({2}), numbers({1}), no()});
  const Module module = {
      .parameters = {{text("w"), call(rebuild("_rebuild_parameter"), {meta, yes(), hooks()})}}};
  CHECK(state_of(module.text_of()) == Lines{"w: meta float32 [2] stride [1] on meta"});
}

TEST_CASE("modules that PyTorch could not have are refused") {
  const Module twice = {.parameters = {{text("w"), parameter("0")}},
                        .buffers = {{text("w"), parameter("1")}}};
  CHECK(refusal_of(twice.text_of()).ends_with("two entries of the module are called 'w'"));
  const Module numbered = {
      .modules = {{text("a"), Module{.parameters = {{number(1), parameter("0")}}}.text_of()}}};
  CHECK(refusal_of(numbered.text_of()).ends_with("a name in the module 'a' is no str"));
  // Its own dict of modules holds it.
  const Fragment made =
      global("__main__", "M") + fragment(pickle().empty_tuple().newobj()) + put(3);
  const Fragment itself = build(made, dict({
                                          {text("_parameters"), dict({})                   },
                                          {text("_buffers"),    dict({})                   },
                                          {text("_modules"),    dict({{text("m"), get(3)}})}
  }));
  CHECK(refusal_of(itself).ends_with("the module 'm' is inside itself"));
}

TEST_CASE("modules in modules are bounded, and so are their names") {
  Module chain = linear("0");
  for (int i = 0; i < 6; ++i) {
    chain = {.modules = {{text("m"), chain.text_of()}}};
  }
  Limits limits;
  limits.depth = 5;
  CHECK(refusal_of(chain.text_of(), limits)
            .ends_with("modules nested deeper than 5 (--limit depth=N)"));
  // Each holds the next one twice.
  Module tree = linear("0");
  for (std::uint32_t i = 0; i < 6; ++i) {
    tree = {
        .modules = {{text("a"), tree.text_of() + put(i)}, {text("b"), get(i)}}
    };
  }
  limits = {};
  limits.entries = 100;
  CHECK(refusal_of(tree.text_of(), limits)
            .ends_with("more than 100 modules and entries (--limit entries=N)"));
  const Module named = {.parameters = {{text(std::string(20'000, 'w')), parameter("0")}}};
  CHECK(refusal_of(named.text_of(), limits)
            .ends_with("paths of more than 100 times 128 bytes (--limit entries=N)"));
}

}  // namespace
}  // namespace ptsd::checkpoint
