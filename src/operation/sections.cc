// SPDX-License-Identifier: Apache-2.0
#include "operation/sections.h"

#include <optional>

#include "checkpoint/listing.h"
#include "checkpoint/nn_module.h"
#include "checkpoint/value.h"

namespace ptsd::operation {

using checkpoint::Checkpoint;
using pickle::Kind;
using pickle::KindSet;
using pickle::NodeId;

namespace {

constexpr KindSet kContainers(Kind::Tuple, Kind::FrozenSet, Kind::List, Kind::Dict, Kind::Set,
                              Kind::Reduce, Kind::NewObj, Kind::NewObjEx, Kind::Obj);

bool is_container(const Checkpoint& checkpoint, NodeId node) {
  return kContainers.contains(checkpoint.graph().kind(node)) &&
         !checkpoint::is_compound_value(checkpoint.names(), node);
}

// A tensor without attributes is the whole of its listing.
bool is_plain_tensor(const Checkpoint& checkpoint, NodeId node) {
  const auto id = checkpoint.tensors().tensor_of(node);
  if (!id) return false;
  const checkpoint::TensorExtra* const extra =
      checkpoint.tensors().extra(checkpoint.tensors()[*id]);
  return extra == nullptr || !extra->state;
}

void add_tensors(Section& section, const Checkpoint& checkpoint, NodeId node) {
  if (is_plain_tensor(checkpoint, node)) {
    const checkpoint::Tensors& tensors = checkpoint.tensors();
    ++section.tensors;
    section.bytes += tensors.byte_count(tensors[*tensors.tensor_of(node)]);
    return;
  }
  const checkpoint::Listing listing = list(checkpoint, node, checkpoint::Want::Tensors);
  for (std::size_t i = 0; i < listing.tensors().size(); ++i) {
    ++section.tensors;
    section.bytes +=
        checkpoint.tensors().byte_count(checkpoint.tensors()[*listing.tensors()[i].tensor]);
  }
}

}  // namespace

std::vector<Section> sections_of(const Checkpoint& checkpoint, NodeId root) {
  const bool one_thing = !is_container(checkpoint, root) || checkpoint.tensors().tensor_of(root) ||
                         checkpoint::is_nn_module(checkpoint.names(), root);
  Section direct = {.path = "", .node = root, .is_container = true};
  if (one_thing) {
    direct.is_container = is_container(checkpoint, root);
    add_tensors(direct, checkpoint, root);
    return {direct};
  }
  std::vector<Section> sections;
  std::optional<std::size_t> place;  // of the direct tensors: where the first one stands
  for (const checkpoint::Child& child : children_of(checkpoint.names(), root).list) {
    if (checkpoint.tensors().tensor_of(child.value)) {
      if (!place) place = sections.size();
      add_tensors(direct, checkpoint, child.value);
      continue;
    }
    Section section = {.path = {}, .node = child.value};
    append_segment(section.path, checkpoint.names(), child);
    section.is_container = is_container(checkpoint, child.value);
    if (section.is_container) add_tensors(section, checkpoint, child.value);
    sections.push_back(std::move(section));
  }
  if (place) sections.insert(sections.begin() + static_cast<std::ptrdiff_t>(*place), direct);
  return sections;
}

}  // namespace ptsd::operation
