// SPDX-License-Identifier: Apache-2.0
#include "report/value_walk.h"

#include "unit/checkpoint/loading.h"

namespace ptsd::report {
namespace {

using namespace test;
using checkpoint::Loading;

class Recorder final : public ValueWalk {
 public:
  std::string text;

 private:
  void open(const Leaf& container) override { text += std::string(container.label) + "("; }
  void show(const Leaf& leaf) override { text += std::string(leaf.label) + " "; }
  void close() override { text += ")"; }
};

struct Walked {
  explicit Walked(const Fragment& root, const Limits& limits = {}) {
    const Loading loading(root, limits);
    Recorder recorder;
    message = refused([&] { recorder.run(loading.checkpoint, loading.checkpoint.root()); });
    text = recorder.text;
  }

  std::string text;
  std::string message;
};

TEST_CASE("containers are opened and closed around what is in them") {
  const Walked walked(dict({
      {text("a"), list({none(), tuple({none()})})},
      {text("b"), none()                         }
  }));
  CHECK(walked.message == "");
  CHECK(walked.text == "(a(0 1(0 ))b )");
}

TEST_CASE("nothing is shown of what goes beyond a limit") {
  const Fragment many = list({none(), none(), none(), none()});
  const Walked wide(many, {.entries = 4});
  CHECK(
      wide.message.ends_with("more than 4 values on all paths from the root (--limit entries=N)"));
  CHECK(wide.text == "");
  const Walked deep(list({none(), list({list({none()})})}), {.depth = 2});
  CHECK(deep.message.ends_with("containers nested deeper than 2 (--limit depth=N)"));
  CHECK(deep.text == "");
}

}  // namespace
}  // namespace ptsd::report
