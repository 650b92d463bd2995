// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/checkpoint.h"

#include <utility>

namespace ptsd::checkpoint {

Checkpoint::Checkpoint(Bytes stream, Where origin, const Limits& limits)
    : origin_(std::move(origin)),
      limits_(limits),
      pickle_(pickle::read_pickle(stream, origin_)),
      warnings_(pickle_.warnings),
      names_(pickle_.graph),
      tensors_(fold_tensors(names_, pickle_.root, origin_, limits_, warnings_)) {}

Checkpoint::Checkpoint(pickle::Pickle pickle, Where origin, const Limits& limits)
    : origin_(std::move(origin)),
      limits_(limits),
      pickle_(std::move(pickle)),
      warnings_(pickle_.warnings),
      names_(pickle_.graph),
      tensors_(fold_tensors(names_, pickle_.root, origin_, limits_, warnings_)) {}

Where Checkpoint::where(pickle::NodeId node) const {
  Where place = origin_;
  if (graph().stream().empty()) return place;
  place.offset = origin_.offset.value_or(0) + graph().offset(node);
  return place;
}

void Checkpoint::fail_at(pickle::NodeId node, Error::Kind kind, std::string message) const {
  throw Error(kind, where(node), std::move(message));
}

void Checkpoint::fail(Error::Kind kind, std::string message) const {
  throw Error(kind, {.file = origin_.file}, std::move(message));
}

}  // namespace ptsd::checkpoint
