// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/byte_source.h"
#include "base/bytes.h"
#include "base/error.h"

// What harnesses share. A harness is one file that defines LLVMFuzzerTestOneInput; it catches
// ptsd::Error and nothing else, and ends the program on anything that must never happen.

namespace ptsd::fuzz {

inline Bytes input_bytes(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const std::byte*>(data), size};
}

inline MemorySource input_source(const std::uint8_t* data, std::size_t size) {
  const Bytes bytes = input_bytes(data, size);
  return {
      "input", {bytes.begin(), bytes.end()}
  };
}

// Stays on in builds without assertions.
inline void require(bool holds) {
  if (!holds) __builtin_trap();
}

// An error that says nothing is a bug; any other exception ends the program.
template <class Work>
void unless_refused(const Work& work) {
  try {
    work();
  } catch (const Error& error) {
    require(!error.message().empty());
  }
}

}  // namespace ptsd::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
