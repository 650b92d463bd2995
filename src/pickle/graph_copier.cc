// SPDX-License-Identifier: Apache-2.0
#include "pickle/graph_copier.h"

#include <string>

#include "pickle/import_names.h"
#include "pickle/parts.h"

namespace ptsd::pickle {
namespace {

constexpr NodeId kNoNode{0xFFFFFFFF};

// The names that STACK_GLOBAL takes go with the global.
std::uint32_t parts_to_copy(const Graph& graph, NodeId id) {
  if (graph.kind(id) == Kind::Global) return 0;
  return static_cast<std::uint32_t>(part_count(graph, id));
}

}  // namespace

GraphCopier::GraphCopier(const Graph& from, unsigned from_protocol, Builder& to)
    : from_(from),
      to_(to),
      renames_(from_protocol < 3 && to.protocol() >= 3),
      copies_(from.size(), kNoNode) {}

bool GraphCopier::is_copied(NodeId id) const {
  return copies_[index(id)] != kNoNode;
}

std::optional<NodeId> GraphCopier::find(NodeId id) const {
  if (!is_copied(id)) return std::nullopt;
  return copies_[index(id)];
}

// First a node and its parts, and theirs, then what was put into any of them: cycles only go by
// way of what was put in.
NodeId GraphCopier::copy(NodeId id) {
  make(id);
  while (!unfilled_.empty()) {
    const NodeId next = unfilled_.back();
    unfilled_.pop_back();
    copy_mutations(next);
  }
  return copies_[index(id)];
}

void GraphCopier::make(NodeId id) {
  enter(id);
  while (!path_.empty()) {
    Frame& frame = path_.back();
    if (frame.position < frame.part_count) {
      enter(part(from_, frame.id, frame.position++));
      continue;
    }
    const NodeId made = frame.id;
    path_.pop_back();
    if (is_copied(made)) continue;
    copies_[index(made)] = make_from_parts(made);
    if (from_.memoised(made)) to_.graph().set_memoised(copies_[index(made)]);
    if (!from_.mutations(made).empty()) unfilled_.push_back(made);
  }
}

void GraphCopier::enter(NodeId id) {
  if (is_copied(id)) return;
  path_.push_back({.id = id, .position = 0, .part_count = parts_to_copy(from_, id)});
}

std::span<const NodeId> GraphCopier::copies_of_parts(NodeId id) {
  parts_.resize(parts_to_copy(from_, id));
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    parts_[i] = copies_[index(part(from_, id, i))];
  }
  return parts_;
}

NodeId GraphCopier::make_from_parts(NodeId id) {
  Graph& to = to_.graph();
  const Kind kind = from_.kind(id);
  const std::span<const NodeId> parts = copies_of_parts(id);
  switch (kind) {
    case Kind::None:
    case Kind::False:
    case Kind::True:
    case Kind::List:
    case Kind::Dict:
    case Kind::Set: return to.add(kind, 0);
    case Kind::Int: return to.add_int(from_.int_value(id), 0);
    case Kind::Float: return to.add_float(from_.float_bits(id), 0);
    case Kind::LongBytes:
    case Kind::LongDigits:
    case Kind::Str:
    case Kind::ByteStr:
    case Kind::Bytes:
    case Kind::ByteArray: return to.add_decoded_text(kind, std::string(from_.text(id)), 0);
    case Kind::Tuple:
    case Kind::FrozenSet: return to.add_sequence(kind, parts, 0);
    case Kind::Global: return global(id);
    case Kind::Ext: return to.add_ext(from_.ext_code(id), 0);
    case Kind::PersId: return to.add_persistent(parts[0], 0);
    case Kind::Reduce:
    case Kind::NewObj: return to.add_object(kind, parts[0], parts[1], 0);
    case Kind::NewObjEx: return to.add_object_ex(parts[0], parts[1], parts[2], 0);
    case Kind::Obj:
      return to.add_object(kind, parts[0], to.add_sequence(Kind::Tuple, parts.subspan(1), 0), 0);
  }
  return kNoNode;
}

NodeId GraphCopier::global(NodeId id) {
  const GlobalName name = from_.global(id);
  return to_.global(renames_ ? canonical(name) : name);
}

void GraphCopier::copy_mutations(NodeId id) {
  std::vector<NodeId> operands;
  for (const Mutation& mutation : from_.mutations(id)) {
    operands.clear();
    for (const NodeId operand : mutation.operands) {
      make(operand);
      operands.push_back(copies_[index(operand)]);
    }
    to_.graph().mutate(copies_[index(id)], mutation.change, operands);
  }
}

}  // namespace ptsd::pickle
