// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "checkpoint/draft.h"
#include "checkpoint/state_dict.h"
#include "pickle/encoder.h"
#include "support/refusal.h"
#include "unit/checkpoint/loading.h"

namespace ptsd::operation {

// A checkpoint and a draft of it that changes nothing yet.
struct Drafted {
  explicit Drafted(const test::Fragment& root)
      : loading(root),
        draft{.base = loading.checkpoint, .root = loading.checkpoint.root(), .protocol = 2} {}

  std::vector<checkpoint::StateDict> chosen(const std::vector<std::string>& wanted = {}) const {
    return choose_state_dicts(loading.checkpoint, draft.root, wanted);
  }

  // What the draft says, to be read again.
  test::Fragment encoded() const {
    const pickle::Encoded stream = pickle::encode(loading.checkpoint.graph(), draft.root, 2);
    return std::string(as_text(stream.bytes).substr(0, stream.bytes.size() - 1));  // without STOP
  }

  checkpoint::Loading loading;
  checkpoint::Draft draft;
};

}  // namespace ptsd::operation
