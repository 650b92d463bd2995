// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "base/byte_source.h"
#include "base/error.h"
#include "container/zip_member.h"

namespace ptsd::container {

// What follows the data of a member: the data descriptor that its flags announce, in any of the
// four forms in use (with or without signature, 32-bit or 64-bit).
struct Descriptor {
  enum class State {
    None,           // none announced
    Sound,          // says what the central directory says
    Missing,        // announced, not there
    Contradicting,  // there, and says something else
  };
  State state = State::None;
  std::uint64_t size = 0;  // the bytes it takes up
};

// `offset` is where the data end, `limit` where the next thing in the file begins.
Descriptor read_descriptor(const ByteSource& source, const Member& member, std::uint64_t offset,
                           std::uint64_t limit);

// PyTorch never looks at a descriptor: one that is missing or wrong is odd, and no error.
std::optional<Warning> descriptor_warning(const ByteSource& source, const Member& member,
                                          std::uint64_t offset, Descriptor::State state);

}  // namespace ptsd::container
