// SPDX-License-Identifier: Apache-2.0
#include "container/name_index.h"

#include <functional>

namespace ptsd::container {

NameIndex::NameIndex(std::span<const Member> members)
    : members_(members), key_(random_hash_key()), slots_(2 * members.size() + 1) {
  for (const Member& member : members) {
    add(member);
    if (clash_) return;
  }
}

void NameIndex::add(const Member& member) {
  const std::uint32_t tag = tag_of(member.name);
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
