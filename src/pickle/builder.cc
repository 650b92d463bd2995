// SPDX-License-Identifier: Apache-2.0
#include "pickle/builder.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "pickle/literals.h"

namespace ptsd::pickle {
namespace {

constexpr std::size_t kLongestName = 4096;

[[noreturn]] void fail_length(const Where& origin, std::size_t size) {
  throw Error(
      Error::Kind::Limit, origin,
      fmt::format("the name of a global has {} bytes, the longest are {}", size, kLongestName));
}

}  // namespace

void Builder::check_length(std::string_view name) const {
  if (name.size() > kLongestName) fail_length(origin_, name.size());
}

NodeId Builder::memoised(NodeId id) {
  graph_.set_memoised(id);
  return id;
}

NodeId Builder::real(double value) {
  return graph_.add_float(std::bit_cast<std::uint64_t>(value), 0);
}

NodeId Builder::text_of(Kind kind, std::string_view text) {
  return memoised(graph_.add_decoded_text(kind, std::string(text), 0));
}

NodeId Builder::tuple(std::span<const NodeId> items) {
  const NodeId id = graph_.add_sequence(Kind::Tuple, items, 0);
  return items.empty() ? id : memoised(id);
}

NodeId Builder::list(std::span<const NodeId> items) {
  return filled(Kind::List, Change::Append, items);
}

NodeId Builder::dict(std::span<const NodeId> keys_and_values) {
  return filled(Kind::Dict, Change::SetItems, keys_and_values);
}

NodeId Builder::filled(Kind kind, Change change, std::span<const NodeId> operands) {
  const NodeId id = memoised(graph_.add(kind, 0));
  if (!operands.empty()) graph_.mutate(id, change, operands);
  return id;
}

NodeId Builder::reduce(NodeId callable, NodeId args) {
  return memoised(graph_.add_object(Kind::Reduce, callable, args, 0));
}

NodeId Builder::new_object(NodeId cls, NodeId args) {
  return memoised(graph_.add_object(Kind::NewObj, cls, args, 0));
}

NodeId Builder::global(GlobalName name) {
  check_length(name.module);
  check_length(name.name);
  if (!has_found_globals_) find_globals();
  const auto found = globals_.find({name.module, name.name});
  // The node may have got another name in the meantime.
  if (found != globals_.end() && graph_.global(found->second) == name) return found->second;
  const NodeId id = new_global(graph_.keep(name));
  const GlobalName kept = graph_.global(id);
  globals_.insert_or_assign({kept.module, kept.name}, id);
  return id;
}

NodeId Builder::new_global(GlobalName kept) {
  if (protocol_ < 4 && fits_global(kept.module) && fits_global(kept.name)) {
    return memoised(graph_.add_global(kept, 0));
  }
  const NodeId module = name(kept.module);
  return memoised(graph_.add_stack_global({.module = module, .name = name(kept.name)}, 0));
}

NodeId Builder::name(std::string_view kept) {
  const auto [found, added] = names_.try_emplace(kept);
  if (added) found->second = str(kept);
  return found->second;
}

void Builder::find_globals() {
  has_found_globals_ = true;
  std::vector<bool> seen(graph_.globals().size());
  for (std::uint32_t i = 0; i < graph_.size(); ++i) {
    const NodeId id{i};
    if (graph_.kind(id) != Kind::Global || seen[graph_.global_index(id)]) continue;
    seen[graph_.global_index(id)] = true;
    const GlobalName name = graph_.global(id);
    if (std::max(name.module.size(), name.name.size()) > kLongestName) continue;
    globals_.try_emplace({name.module, name.name}, id);
  }
}

}  // namespace ptsd::pickle
