// SPDX-License-Identifier: Apache-2.0
#include "operation/inner_call.h"

namespace ptsd::operation {

using checkpoint::Known;

std::optional<RebuildCall> find_inner_call(const checkpoint::Names& names, pickle::NodeId node,
                                           Known function) {
  constexpr unsigned kDeepest = 32;  // what folding allows
  for (unsigned depth = 0; depth < kDeepest; ++depth) {
    std::optional<RebuildCall> call = RebuildCall::of(names, node);
    if (!call || call->function() == function) return call;
    if (call->function() != Known::RebuildParameter &&
        call->function() != Known::RebuildParameterWithState &&
        call->function() != Known::RebuildFromCpuTensor) {
      return std::nullopt;
    }
    node = call->args[0];
  }
  return std::nullopt;
}

}  // namespace ptsd::operation
