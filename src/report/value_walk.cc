// SPDX-License-Identifier: Apache-2.0
#include "report/value_walk.h"

#include "checkpoint/listing.h"
#include "checkpoint/nn_module.h"

namespace ptsd::report {

using pickle::NodeId;

void ValueWalk::run(const checkpoint::Checkpoint& checkpoint, NodeId root) {
  checkpoint_ = &checkpoint;
  check_walk(checkpoint.names(), root, checkpoint.origin(), checkpoint.limits(), *this);
  walk(checkpoint.names(), root, checkpoint.origin(), checkpoint.limits(), *this);
  for (; !frames_.empty(); frames_.pop_back()) {
    close();
  }
}

bool ValueWalk::enter(std::string_view path, NodeId node) {
  close_until(path);
  open(at(path, node));
  push(path, is_nn_module(checkpoint_->names(), node));
  return true;
}

void ValueWalk::leaf(std::string_view path, NodeId node, bool cycle) {
  close_until(path);
  Leaf found = at(path, node);
  found.cycle = cycle;
  found.has_attributes = has_attributes_;
  has_attributes_ = false;
  show(found);
  if (found.has_attributes) push(path, false);
}

bool ValueWalk::is_value(std::string_view, NodeId node, std::optional<NodeId>& attributes) {
  const bool whole = is_listed_whole(*checkpoint_, node, attributes);
  has_attributes_ = whole && attributes.has_value();
  return whole;
}

// The walk goes depth first: what does not lie below the last container lies beside it.
void ValueWalk::close_until(std::string_view path) {
  while (frames_.size() > 1) {
    const Frame& frame = frames_.back();
    const std::size_t size = frame.path.size();
    const bool below = path.size() > size && path.starts_with(frame.path) &&
                       (path[size] == '/' || (frame.is_module && path[size] == '.'));
    if (below) return;
    close();
    frames_.pop_back();
  }
}

void ValueWalk::push(std::string_view path, bool is_module) {
  frames_.push_back({std::string(path), is_module});
}

ValueWalk::Leaf ValueWalk::at(std::string_view path, NodeId node) const {
  if (frames_.empty()) return {.label = {}, .node = node, .is_root = true};
  // The path of what lies directly in the root begins without a separator.
  const std::size_t begin = frames_.size() == 1 ? 0 : frames_.back().path.size() + 1;
  return {.label = path.substr(begin), .node = node};
}

}  // namespace ptsd::report
