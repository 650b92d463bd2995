// SPDX-License-Identifier: Apache-2.0
#include "operation/sections.h"

#include <optional>

#include "checkpoint/listing.h"
#include "checkpoint/nn_module.h"
#include "checkpoint/value.h"
#include "checkpoint/walk.h"

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

// Counts the tensors of one section after another. All paths together are bounded: a value can be
// shared by any number of sections.
class Counter final : public checkpoint::Visitor {
 public:
  explicit Counter(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

  void add(Section& section, NodeId node) {
    section_ = &section;
    met_ = walk(checkpoint_.names(), node, checkpoint_.origin(), checkpoint_.limits(), *this, met_);
  }

  bool enter(std::string_view, NodeId) override { return true; }
  void leaf(std::string_view, NodeId node, bool) override {
    const checkpoint::Tensors& tensors = checkpoint_.tensors();
    const std::optional<checkpoint::TensorId> id = tensors.tensor_of(node);
    if (!id) return;
    ++section_->tensors;
    section_->bytes += tensors.byte_count(tensors[*id]);
  }
  bool is_value(std::string_view, NodeId node, std::optional<NodeId>& attributes) override {
    return is_listed_whole(checkpoint_, node, attributes);
  }
  void repeated_key(std::string_view, NodeId) override {}

 private:
  const Checkpoint& checkpoint_;
  Section* section_ = nullptr;
  std::uint64_t met_ = 0;
};

}  // namespace

std::vector<Section> sections_of(const Checkpoint& checkpoint, NodeId root) {
  const bool one_thing = !is_container(checkpoint, root) || checkpoint.tensors().tensor_of(root) ||
                         checkpoint::is_nn_module(checkpoint.names(), root);
  Section direct = {.path = "", .node = root, .is_container = true};
  Counter counter(checkpoint);
  if (one_thing) {
    direct.is_container = is_container(checkpoint, root);
    counter.add(direct, root);
    return {direct};
  }
  std::vector<Section> sections;
  std::optional<std::size_t> place;  // of the direct tensors: where the first one stands
  for (const checkpoint::Child& child : children_of(checkpoint.names(), root).list) {
    if (checkpoint.tensors().tensor_of(child.value)) {
      if (!place) place = sections.size();
      counter.add(direct, child.value);
      continue;
    }
    Section section = {.path = {}, .node = child.value};
    append_segment(section.path, checkpoint.names(), child);
    section.is_container = is_container(checkpoint, child.value);
    if (section.is_container) counter.add(section, child.value);
    sections.push_back(std::move(section));
  }
  if (place) sections.insert(sections.begin() + static_cast<std::ptrdiff_t>(*place), direct);
  return sections;
}

}  // namespace ptsd::operation
