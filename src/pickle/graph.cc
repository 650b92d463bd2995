// SPDX-License-Identifier: Apache-2.0
#include "pickle/graph.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace ptsd::pickle {
namespace {

constexpr NodeId kNoNode{0xFFFFFFFF};

constexpr KindSet kUnhashableKinds(Kind::List, Kind::Dict, Kind::Set, Kind::ByteArray);
constexpr KindSet kContainers(Kind::List, Kind::Dict, Kind::Set);
constexpr KindSet kSequences(Kind::Tuple, Kind::FrozenSet);
[[maybe_unused]] constexpr KindSet kTexts(Kind::Str, Kind::ByteStr, Kind::Bytes, Kind::ByteArray,
                                          Kind::LongBytes, Kind::LongDigits);

std::uint64_t pack(std::uint32_t low, std::uint32_t high) {
  return std::uint64_t{high} << 32 | low;
}
std::uint32_t low(std::uint64_t payload) {
  return static_cast<std::uint32_t>(payload);
}
std::uint32_t high(std::uint64_t payload) {
  return static_cast<std::uint32_t>(payload >> 32);
}

std::uint64_t pack(NodeId a, NodeId b) {
  return pack(static_cast<std::uint32_t>(a), static_cast<std::uint32_t>(b));
}

}  // namespace

Graph::Graph(Bytes stream) : stream_(stream) {
  small_ints_.fill(kNoNode);
  constants_.fill(kNoNode);
}

bool Graph::hashable(NodeId id) const {
  return !kUnhashableKinds.contains(kind(id)) && !has(id, kUnhashable);
}

std::int64_t Graph::int_value(NodeId id) const {
  assert(kind(id) == Kind::Int);
  return static_cast<std::int64_t>(nodes_[index(id)].payload);
}

std::uint64_t Graph::float_bits(NodeId id) const {
  assert(kind(id) == Kind::Float);
  return nodes_[index(id)].payload;
}

double Graph::float_value(NodeId id) const {
  return std::bit_cast<double>(float_bits(id));
}

std::string_view Graph::text(NodeId id) const {
  assert(kTexts.contains(kind(id)));
  const std::uint64_t payload = nodes_[index(id)].payload;
  if (has(id, kDecoded)) return decoded_[payload];
  return as_text(stream_.subspan(low(payload), high(payload)));
}

std::span<const NodeId> Graph::items(NodeId id) const {
  if (!kSequences.contains(kind(id))) return {};
  const std::uint64_t payload = nodes_[index(id)].payload;
  if (payload == 0) return {};  // ()
  const auto* run = std::bit_cast<const NodeId*>(static_cast<std::uintptr_t>(payload));
  return {run + 1, index(*run)};
}

std::uint32_t Graph::global_index(NodeId id) const {
  assert(kind(id) == Kind::Global);
  return low(nodes_[index(id)].payload);
}

std::optional<Graph::GlobalStrings> Graph::global_strings(NodeId id) const {
  assert(kind(id) == Kind::Global);
  const std::uint32_t number = high(nodes_[index(id)].payload);
  if (number == 0) return std::nullopt;
  return global_strings_[number - 1];
}

std::int64_t Graph::ext_code(NodeId id) const {
  assert(kind(id) == Kind::Ext);
  return static_cast<std::int64_t>(nodes_[index(id)].payload);
}

NodeId Graph::persistent_id(NodeId id) const {
  assert(kind(id) == Kind::PersId);
  return NodeId{low(nodes_[index(id)].payload)};
}

std::uint64_t Graph::object_payload(NodeId id) const {
  assert(kObjects.contains(kind(id)));
  const std::uint64_t payload = nodes_[index(id)].payload;
  return has(id, kMutated) ? objects_[payload].payload : payload;
}

NodeId Graph::callable(NodeId id) const {
  return NodeId{low(object_payload(id))};
}

NodeId Graph::args(NodeId id) const {
  const NodeId args{high(object_payload(id))};
  return kind(id) == Kind::NewObjEx ? items(args)[0] : args;
}

NodeId Graph::kwargs(NodeId id) const {
  assert(kind(id) == Kind::NewObjEx);
  return items(NodeId{high(object_payload(id))})[1];
}

std::uint32_t Graph::head_of(NodeId id) const {
  const std::uint64_t payload = nodes_[index(id)].payload;
  if (kContainers.contains(kind(id))) return low(payload);
  return has(id, kMutated) ? objects_[payload].head : 0;
}

Graph::Mutations Graph::mutations(NodeId id) const {
  return {this, head_of(id)};
}

NodeId Graph::add_node(Kind kind, std::uint64_t payload, std::uint64_t offset, unsigned flags) {
  const NodeId id{static_cast<std::uint32_t>(nodes_.size())};
  nodes_.push_back({.payload = payload,
                    .offset = static_cast<std::uint32_t>(offset),
                    .kind = kind,
                    .flags = static_cast<std::uint8_t>(flags)});
  return id;
}

NodeId Graph::shared(NodeId& slot, Kind kind, std::uint64_t payload, std::uint64_t offset) {
  if (slot == kNoNode) slot = add_node(kind, payload, offset);
  return slot;
}

NodeId Graph::add(Kind kind, std::uint64_t offset) {
  if (kind <= Kind::True) {
    return shared(constants_[static_cast<std::size_t>(kind)], kind, 0, offset);
  }
  return add_node(kind, 0, offset);
}

NodeId Graph::add_int(std::int64_t value, std::uint64_t offset) {
  const auto payload = static_cast<std::uint64_t>(value);
  if (payload < small_ints_.size()) return shared(small_ints_[payload], Kind::Int, payload, offset);
  return add_node(Kind::Int, payload, offset);
}

NodeId Graph::add_float(std::uint64_t bits, std::uint64_t offset) {
  return add_node(Kind::Float, bits, offset);
}

NodeId Graph::add_text(Kind kind, std::string_view in_stream, std::uint64_t offset) {
  const auto begin = static_cast<std::uint32_t>(as_bytes(in_stream).data() - stream_.data());
  return add_node(kind, pack(begin, static_cast<std::uint32_t>(in_stream.size())), offset);
}

NodeId Graph::add_decoded_text(Kind kind, std::string text, std::uint64_t offset) {
  decoded_.push_back(std::move(text));
  return add_node(kind, decoded_.size() - 1, offset, kDecoded);
}

std::uint64_t Graph::store_run(std::span<const NodeId> run) {
  // The count goes first, so that one pointer is the whole payload.
  const std::span<NodeId> stored = runs_.reserve(run.size() + 1);
  stored[0] = NodeId{static_cast<std::uint32_t>(run.size())};
  std::ranges::copy(run, stored.begin() + 1);
  return std::bit_cast<std::uintptr_t>(stored.data());
}

NodeId Graph::add_sequence(Kind kind, std::span<const NodeId> items, std::uint64_t offset) {
  if (kind == Kind::Tuple && items.empty()) return shared(constants_[3], Kind::Tuple, 0, offset);
  const bool all_hashable =
      std::ranges::all_of(items, [this](NodeId item) { return hashable(item); });
  return add_node(kind, store_run(items), offset, all_hashable ? 0 : kUnhashable);
}

std::uint32_t Graph::number_of(std::string_view name) {
  const auto next = static_cast<std::uint32_t>(name_numbers_.size());
  return name_numbers_.try_emplace(name, next).first->second;
}

std::uint32_t Graph::number_of(NodeId text_node) {
  const auto [found, added] = numbers_of_nodes_.try_emplace(text_node);
  if (added) found->second = number_of(text(text_node));
  return found->second;
}

std::uint32_t Graph::intern(GlobalName name, std::uint32_t module_number,
                            std::uint32_t name_number) {
  const auto next = static_cast<std::uint32_t>(globals_.size());
  const auto [found, added] = global_indices_.try_emplace(pack(module_number, name_number), next);
  if (added) {
    globals_.push_back(name);
    global_counts_.push_back(0);
  }
  ++global_counts_[found->second];
  return found->second;
}

NodeId Graph::add_global(GlobalName name, std::uint64_t offset) {
  return add_node(Kind::Global, intern(name, number_of(name.module), number_of(name.name)), offset);
}

NodeId Graph::add_stack_global(GlobalStrings strings, std::uint64_t offset) {
  global_strings_.push_back(strings);
  const auto number = static_cast<std::uint32_t>(global_strings_.size());
  const std::uint32_t name = intern({text(strings.module), text(strings.name)},
                                    number_of(strings.module), number_of(strings.name));
  return add_node(Kind::Global, pack(name, number), offset);
}

NodeId Graph::add_ext(std::int64_t code, std::uint64_t offset) {
  return add_node(Kind::Ext, static_cast<std::uint64_t>(code), offset);
}

NodeId Graph::add_persistent(NodeId id, std::uint64_t offset) {
  return add_node(Kind::PersId, static_cast<std::uint32_t>(id), offset);
}

NodeId Graph::add_object(Kind kind, NodeId callable, NodeId args, std::uint64_t offset) {
  return add_node(kind, pack(callable, args), offset);
}

NodeId Graph::add_object_ex(NodeId cls, NodeId args, NodeId kwargs, std::uint64_t offset) {
  const NodeId both = add_sequence(Kind::Tuple, std::array{args, kwargs}, offset);
  return add_object(Kind::NewObjEx, cls, both, offset);
}

void Graph::mutate(NodeId id, Change change, std::span<const NodeId> operands) {
  // Index 0 means none. A graph without any, of which there can be thousands, needs no segment.
  if (mutations_.size() == 0) mutations_.push_back({});
  const auto added = static_cast<std::uint32_t>(mutations_.size());
  mutations_.push_back({.change = change, .operands = runs_.store(operands)});
  Node& node = nodes_[index(id)];
  if (!kContainers.contains(node.kind) && !has(id, kMutated)) {
    objects_.push_back({.payload = node.payload});
    node.payload = objects_.size() - 1;
    node.flags |= kMutated;
  }
  if (kContainers.contains(node.kind)) {
    const std::uint32_t tail = high(node.payload);
    if (tail != 0) mutations_[tail].next = added;
    node.payload = pack(tail == 0 ? added : low(node.payload), added);
    return;
  }
  Object& object = objects_[node.payload];
  if (object.tail != 0) mutations_[object.tail].next = added;
  if (object.head == 0) object.head = added;
  object.tail = added;
}

void Graph::replace_mutations(NodeId id, std::span<const Mutation> mutations) {
  assert(kContainers.contains(kind(id)) || kObjects.contains(kind(id)));
  Node& node = nodes_[index(id)];
  if (kContainers.contains(node.kind)) {
    node.payload = 0;
  } else if (has(id, kMutated)) {
    objects_[node.payload].head = 0;
    objects_[node.payload].tail = 0;
  }
  for (const Mutation& mutation : mutations) {
    if (!mutation.operands.empty()) mutate(id, mutation.change, mutation.operands);
  }
}

void Graph::replace_object(NodeId id, NodeId callable, NodeId args) {
  assert(kObjects.contains(kind(id)) && kind(id) != Kind::NewObjEx);
  Node& node = nodes_[index(id)];
  (has(id, kMutated) ? objects_[node.payload].payload : node.payload) = pack(callable, args);
}

void Graph::replace_persistent_id(NodeId id, NodeId persistent_id) {
  assert(kind(id) == Kind::PersId);
  nodes_[index(id)].payload = static_cast<std::uint32_t>(persistent_id);
}

void Graph::replace_persistent(NodeId id, NodeId original) {
  assert(kind(id) == Kind::PersId &&
         (kind(original) == Kind::Global || kObjects.contains(kind(original))));
  assert(!has(original, kMutated));
  Node& node = nodes_[index(id)];
  node.kind = kind(original);
  node.payload = nodes_[index(original)].payload;
  if (node.kind == Kind::Global) ++global_counts_[global_index(id)];
}

void Graph::replace_global(NodeId id, GlobalName name) {
  --global_counts_[global_index(id)];
  const GlobalName kept = keep(name);
  const std::uint32_t global = intern(kept, number_of(kept.module), number_of(kept.name));
  std::uint32_t strings = high(nodes_[index(id)].payload);
  if (strings != 0) {
    const NodeId module = add_memoised_str(kept.module);
    global_strings_.push_back({.module = module, .name = add_memoised_str(kept.name)});
    strings = static_cast<std::uint32_t>(global_strings_.size());
  }
  nodes_[index(id)].payload = pack(global, strings);
}

GlobalName Graph::keep(GlobalName name) {
  const std::string_view module = keep(name.module);
  return {.module = module, .name = keep(name.name)};
}

std::string_view Graph::keep(std::string_view name) {
  const auto found = name_numbers_.find(name);
  if (found != name_numbers_.end()) return found->first;
  return decoded_.emplace_back(name);
}

NodeId Graph::add_memoised_str(std::string_view text) {
  const NodeId id = add_decoded_text(Kind::Str, std::string(text), 0);
  set_memoised(id);
  return id;
}

}  // namespace ptsd::pickle
