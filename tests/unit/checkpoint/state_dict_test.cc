// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/state_dict.h"

#include "unit/checkpoint/loading.h"

namespace ptsd::checkpoint {
namespace {

using namespace test;
using test::tensor;

Fragment state_dict() {
  return dict({
      {text("w"), tensor(storage("0", 1), {1}, {1})}
  });
}

Lines chosen(const Fragment& root, const std::vector<std::string>& wanted) {
  const Loading loading(root);
  Lines paths;
  for (const StateDict& each :
       choose_state_dicts(loading.checkpoint, loading.checkpoint.root(), wanted)) {
    paths.push_back(each.path);
  }
  return paths;
}

std::string refusal_of(const Fragment& root, const std::vector<std::string>& wanted) {
  return refused([&] { chosen(root, wanted); });
}

TEST_CASE("an integer key hides what is below it, and not what is beside it") {
  const Fragment training = dict({
      {text("model"), state_dict()},
      {number(300),   state_dict()},
      {text("ema"),   state_dict()}
  });
  CHECK(chosen(training, {}) == Lines{"model"});
  CHECK(chosen(training, {"*"}) == Lines{"model", "ema"});
  CHECK(chosen(training, {"300"}) == Lines{"300"});
}

TEST_CASE("keys of an optimizer's state are texts once a directory was saved of it") {
  const Fragment state = dict({
      {text("0"),  state_dict()},
      {text("10"), state_dict()}
  });
  const Fragment optimizer = dict({
      {text("state"), state}
  });
  const Fragment training = dict({
      {text("weights"), state_dict()},
      {text("optim"),   optimizer   }
  });
  CHECK(chosen(training, {}) == Lines{"weights"});
  CHECK(chosen(training, {"*"}) == Lines{"weights"});
  CHECK(chosen(training, {"optim/state/10"}) == Lines{"optim/state/10"});
}

TEST_CASE("a pickled module has its state dict elsewhere") {
  const Fragment module = object("M", dict({
                                          {text("training"),    yes()   },
                                          {text("_parameters"), dict({})},
                                          {text("_buffers"),    dict({})},
                                          {text("_modules"),    dict({})}
  }));
  CHECK(
      refusal_of(module, {})
          .ends_with("holds tensors; this is a pickled module, and '#~state_dict' its state dict"));
  CHECK(refusal_of(dict({
                       {text("ema"), module}
  }),
                   {})
            .ends_with("; 'ema' is a pickled module, and '#ema/~state_dict' its state dict"));
}

TEST_CASE("the index of a list is no key") {
  const Fragment models = dict({
      {text("models"), test::list({state_dict(), state_dict()})},
      {number(300),    none()                                  }
  });
  CHECK(chosen(models, {"*"}) == Lines{"models/0", "models/1"});
}

TEST_CASE("a path that leads to no state dict is refused with what there is") {
  const Fragment training = dict({
      {text("model"), state_dict()},
      {text("epoch"), number(300) }
  });
  CHECK(refusal_of(training, {"epoch"}) == "--in: no state dict at 'epoch'; there are: 'model'");
  CHECK(refusal_of(training, {"none"}) == "--in: no state dict at 'none'; there are: 'model'");
  CHECK(refusal_of(dict({
                       {number(300), state_dict()}
  }),
                   {}) ==
        "no state dict: no dict of names holds tensors; below integer keys --in PATH says which");
}

}  // namespace
}  // namespace ptsd::checkpoint
