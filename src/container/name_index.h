// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "container/folded_hash.h"
#include "container/zip_member.h"

namespace ptsd::container {

// Members by name, without regard to ASCII case, as PyTorch compares names. Open addressing, 16
// bytes per member. The hash is keyed at random: no archive can be made to fall into one chain.
// Borrows the members.
class NameIndex {
 public:
  struct Clash {
    const Member* first;
    const Member* second;
  };

  explicit NameIndex(std::span<const Member> members);

  // The member of exactly this name.
  const Member* find(std::string_view name) const;
  // The member whose name differs at most in case.
  const Member* find_ignoring_case(std::string_view name) const;
  // The first two members found whose names differ at most in case. The index ends there: what
  // a million equal names would cost is not paid, and look-ups mean nothing any more.
  const std::optional<Clash>& clash() const { return clash_; }

 private:
  struct Slot {
    std::uint32_t tag = 0;     // the upper half of the hash
    std::uint32_t number = 0;  // of the member, from 1; 0: free
  };

  void add(std::span<const Member> batch);
  void add(const Member& member, std::uint32_t tag);
  template <class Equal>
  const Member* search(std::string_view name, Equal equal) const;
  std::uint32_t tag_of(std::string_view name) const;
  std::size_t home_of(std::uint32_t tag) const;
  std::size_t after(std::size_t slot) const { return slot + 1 == slots_.size() ? 0 : slot + 1; }

  std::span<const Member> members_;
  HashKey key_;
  std::vector<Slot> slots_;
  std::optional<Clash> clash_;
};

}  // namespace ptsd::container
