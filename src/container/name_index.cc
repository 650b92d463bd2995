// SPDX-License-Identifier: Apache-2.0
#include "container/name_index.h"

#include <algorithm>
#include <array>
#include <functional>

namespace ptsd::container {

namespace {

// How many slots are asked for before the first of them is used: the table is larger than the
// caches, and the wait for it is most of the work.
constexpr std::size_t kBatch = 32;

}  // namespace

NameIndex::NameIndex(std::span<const Member> members)
    : members_(members), key_(random_hash_key()), slots_(2 * members.size() + 1) {
  while (!members.empty() && !clash_) {
    const std::span<const Member> batch = members.first(std::min(kBatch, members.size()));
    add(batch);
    members = members.subspan(batch.size());
  }
}

void NameIndex::add(std::span<const Member> batch) {
  std::array<std::uint32_t, kBatch> tags;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    tags[i] = tag_of(batch[i].name);
    __builtin_prefetch(&slots_[home_of(tags[i])], 1);
  }
  for (std::size_t i = 0; i < batch.size() && !clash_; ++i) {
    add(batch[i], tags[i]);
  }
}

void NameIndex::add(const Member& member, std::uint32_t tag) {
  std::size_t i = home_of(tag);
  for (; slots_[i].number != 0; i = after(i)) {
    const Member& other = members_[slots_[i].number - 1];
    if (slots_[i].tag != tag || !equal_ignoring_case(other.name, member.name)) continue;
    clash_ = Clash{&other, &member};
    return;
  }
  slots_[i] = {.tag = tag, .number = static_cast<std::uint32_t>(&member - members_.data() + 1)};
}

template <class Equal>
const Member* NameIndex::search(std::string_view name, Equal equal) const {
  const std::uint32_t tag = tag_of(name);
  for (std::size_t i = home_of(tag); slots_[i].number != 0; i = after(i)) {
    const Member& member = members_[slots_[i].number - 1];
    if (slots_[i].tag == tag && equal(member.name, name)) return &member;
  }
  return nullptr;
}

const Member* NameIndex::find(std::string_view name) const {
  return search(name, std::equal_to<>());
}

const Member* NameIndex::find_ignoring_case(std::string_view name) const {
  return search(name, equal_ignoring_case);
}

std::uint32_t NameIndex::tag_of(std::string_view name) const {
  return static_cast<std::uint32_t>(folded_hash(name, key_) >> 32);
}

// Scales the tag to the table instead of taking a remainder: any table size is good.
std::size_t NameIndex::home_of(std::uint32_t tag) const {
  return static_cast<std::size_t>(std::uint64_t{tag} * slots_.size() >> 32);
}

}  // namespace ptsd::container
