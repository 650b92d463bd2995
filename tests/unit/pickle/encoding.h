// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "pickle/encoder.h"
#include "unit/pickle/reading.h"

namespace ptsd::pickle {

// As strings, which doctest can show.
inline std::string text_of(const std::vector<std::byte>& bytes) {
  return std::string(as_text(bytes));
}

inline std::string encoded(const Read& read, unsigned protocol) {
  return text_of(encode(read.graph(), read.root(), protocol).bytes);
}

// What comes of a stream that is read and encoded at its own protocol.
inline std::string again(std::vector<std::byte> stream) {
  const Read read(std::move(stream));
  return encoded(read, read.pickle.protocol);
}

// A stream of protocol 4 in one frame.
inline std::vector<std::byte> in_frame(test::PickleAssembler body) {
  const std::vector<std::byte> bytes = body.stop();
  return pickle().proto(4).frame(bytes.size()).raw(bytes).bytes();
}

inline bool stays(const std::vector<std::byte>& stream) {
  return again(stream) == text_of(stream);
}

}  // namespace ptsd::pickle
